#include "helper/journal.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/unique_fd.h"

namespace tsrun {

void Journal::record(const Launch& launch, const std::string& action, Attributes more) {
  if (launch.events.empty()) return;
  using Json = nlohmann::ordered_json;
  Json attributes = Json::object();
  for (const auto& [name, value] : launch.eventAttributes) attributes[name] = value;
  for (const auto& [name, value] : more) attributes[name] = value;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto image = launch.eventAttributes.find("image");
  Json event{{"status", action},
             {"id", launch.id},
             {"from", image == launch.eventAttributes.end() ? "" : image->second},
             {"Type", "container"},
             {"Action", action},
             {"Actor", {{"ID", launch.id}, {"Attributes", std::move(attributes)}}},
             {"scope", "local"},
             {"time", now.tv_sec},
             {"timeNano", now.tv_sec * 1000000000LL + now.tv_nsec}};
  const std::string line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  UniqueFd file(open(launch.events.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  // One write: others append to the same file, and lines must not mix.
  if (file) (void)!write(file.get(), line.data(), line.size());
}

void Journal::record(const std::string& dir, Launch& launch, const std::string& action, Attributes more) {
  if (launch.events.empty()) return;
  try {
    launch.eventAttributes = readLaunch(dir + "/launch.json").eventAttributes;
  } catch (const Failure&) {
    // What was known before is still better than no event.
  }
  record(launch, action, more);
}

}  // namespace tsrun
