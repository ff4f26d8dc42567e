#include "helper/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/lock.h"

namespace tsrun {
namespace {

/// bytes; there are two files at most, so the journal takes twice that.
constexpr off_t kMostBytes = 8 << 20;
constexpr int kTries = 3;

/// Makes `file`, which has been `path`, the older of the two, unless somebody else does or has done so. The
/// lock is on the file itself: who has it and finds the file in its place is the only one who can move it.
void rotate(const std::string& path, int file) {
  struct stat own, there;
  if (!lockByte(file, 0, false)) return;
  if (fstat(file, &own) != 0 || stat(path.c_str(), &there) != 0) return;
  if (own.st_dev == there.st_dev && own.st_ino == there.st_ino)
    (void)!rename(path.c_str(), (path + ".1").c_str());
}

void append(const std::string& path, const std::string& line) {
  for (int i = 0; i < kTries; i++) {
    UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return;
    // One write: others append to the same file, and lines must not mix.
    (void)!write(file.get(), line.data(), line.size());
    struct stat info;
    if (fstat(file.get(), &info) != 0) return;
    // Two rotations since it was opened: nobody reads it any more.
    if (info.st_nlink == 0) continue;
    if (info.st_size > kMostBytes) rotate(path, file.get());
    return;
  }
}

}  // namespace

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
  append(launch.events, line);
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
