#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/failure.h"
#include "oci/context.h"
#include "oci/state.h"
#include "oci/stats.h"
#include "runtime/cgroup_parts.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

/// "5s", "100ms", "1m30s" in milliseconds.
long long millisecondsOf(const std::string& text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1}, {"us", 1e-3}, {"ns", 1e-6}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
  double total = 0;
  std::string_view rest = text;
  bool fine = !rest.empty();
  while (fine && !rest.empty()) {
    double number = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits)
      if (found == nullptr && rest.starts_with(unit.name)) found = &unit;
    fine = error == std::errc() && found != nullptr;
    if (!fine) break;
    total += number * found->milliseconds;
    rest.remove_prefix(found->name.size());
  }
  if (!fine || total < 1 || total > 1e12)
    throw Failure(step::kUsage, 0, "--interval " + text, "not a time, such as 5s or 100ms");
  return static_cast<long long>(total);
}

/// Tells when a cgroup has run out of memory.
class OomWatch {
 public:
  explicit OomWatch(const Cgroup& cgroup) : dir_(cgroup.directoryOf("memory")), v1_(cgroup.isV1("memory")) {
    if (dir_.empty()) return;
    const std::string name = dir_ + (v1_ ? "/memory.oom_control" : "/memory.events");
    file_.reset(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    kills_ = cgroupfs::oomKills(dir_);
    if (!file_ || !v1_) return;
    event_.reset(check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "events", "eventfd"));
    cgroupfs::write("events", dir_ + "/cgroup.event_control",
                    std::to_string(event_.get()) + " " + std::to_string(file_.get()));
  }

  pollfd watch() const {
    if (v1_) return {event_ ? event_.get() : -1, POLLIN, 0};
    return {file_ ? file_.get() : -1, POLLPRI, 0};
  }

  /// After the fd was ready: true if it was that.
  bool happened() {
    if (v1_) {
      std::uint64_t count = 0;
      // The end of the cgroup is told in the same way.
      return read(event_.get(), &count, sizeof count) == sizeof count && cgroupfs::exists(dir_);
    }
    char data[512];
    (void)!pread(file_.get(), data, sizeof data, 0);
    const long long kills = cgroupfs::oomKills(dir_);
    const bool more = kills > kills_;
    kills_ = kills;
    return more;
  }

 private:
  std::string dir_;
  bool v1_;
  UniqueFd file_, event_;
  long long kills_ = 0;
};

bool print(const std::string& id, const char* type, const Json* data) {
  Json line{{"type", type}, {"id", id}};
  if (data != nullptr) line["data"] = *data;
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return writeAll(STDOUT_FILENO, text.data(), text.size());
}

bool printStats(const Container& container, const Cgroup& cgroup) {
  const Json data = statsOf(cgroup);
  return print(container.state().id, "stats", &data);
}

}  // namespace

int eventsVerb(const Context& context) {
  const long long interval = millisecondsOf(context.options.valueOr("interval", "5s"));
  const Container container = Container::open(context.root, onlyId(context));
  const UniqueFd process = container.process();
  if (!process) throw Failure("events", 0, container.state().id, "container not running");
  const auto cgroup = container.cgroup();
  if (!cgroup || !cgroup->isThere())
    throw Failure("events", ENOENT, container.state().id, "the container has no cgroup");
  if (context.options.flag("stats")) return printStats(container, *cgroup) ? 0 : 1;

  OomWatch memory(*cgroup);
  long long next = monotonicMs();
  for (;;) {
    const long long left = next - monotonicMs();
    pollfd fds[] = {{process.get(), POLLIN, 0}, memory.watch()};
    if (poll(fds, 2, static_cast<int>(std::clamp(left, 0LL, 1000000LL))) < 0 && errno != EINTR)
      fail(step::kLoop, "poll");
    if (fds[1].revents != 0 && memory.happened() && !print(container.state().id, "oom", nullptr)) return 0;
    if (fds[0].revents != 0) return 0;
    if (monotonicMs() < next) continue;
    if (!printStats(container, *cgroup)) return 0;
    next = monotonicMs() + interval;
  }
}

}  // namespace tsrun::oci
