#include "oci/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/ledger.h"
#include "runtime/lock.h"
#include "runtime/remove.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kState[] = "state.json";
constexpr std::size_t kMostId = 1024;

Failure missing(const std::string& id) {
  return Failure("container", 0, id, "container does not exist");
}

/// A name of a directory, and nothing else.
void checkId(const std::string& id) {
  const bool fine = !id.empty() && id.size() <= kMostId && id != "." && id != ".." &&
                    std::ranges::all_of(id, [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '_' || c == '+' || c == '-' || c == '.';
                    });
  if (!fine) throw Failure("container", 0, id, "invalid container ID format");
}

void makeParents(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (mkdir(path.substr(0, at).c_str(), 0711) != 0 && errno != EEXIST)
      fail(step::kRecord, path.substr(0, at));
  if (mkdir(path.c_str(), 0711) != 0 && errno != EEXIST) fail(step::kRecord, path);
}

}  // namespace

const char* nameOf(Status status) {
  switch (status) {
    case Status::creating:
      return "creating";
    case Status::created:
      return "created";
    case Status::running:
      return "running";
    case Status::paused:
      return "paused";
    case Status::stopped:
      break;
  }
  return "stopped";
}

std::string startTimeOf(pid_t pid) {
  UniqueFd file(open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t length = file ? ::read(file.get(), text, sizeof text) : -1;
  if (length <= 0) return "";
  // The name, in parentheses, may hold anything; field 3 is the state and 22 the start time.
  const std::string line(text, static_cast<std::size_t>(length));
  std::size_t at = line.rfind(')');
  if (at == std::string::npos || at + 2 >= line.size()) return "";
  const char state = line[at + 2];
  if (state == 'Z' || state == 'X') return "";
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
  if (at == std::string::npos) return "";
  return line.substr(at + 1, line.find(' ', at + 1) - at - 1);
}

Container Container::open(const std::string& root, const std::string& id) {
  checkId(id);
  Container container(root + "/" + id);
  struct stat info;
  if (stat(container.dir_.c_str(), &info) != 0) {
    if (errno == ENOENT) throw missing(id);
    fail("container", container.dir_);
  }
  if (!container.read()) container.state_.id = id;  // it is being made, or was not made to the end
  return container;
}

Container Container::make(const std::string& root, const std::string& id) {
  checkId(id);
  makeParents(root);
  Container container(root + "/" + id);
  if (mkdir(container.dir_.c_str(), 0700) != 0) {
    if (errno == EEXIST) throw Failure("container", EEXIST, id, "a container of this ID already exists");
    fail(step::kRecord, container.dir_);
  }
  container.state_.id = id;
  return container;
}

std::vector<Container> Container::all(const std::string& root) {
  std::vector<Container> result;
  DIR* stream = opendir(root.c_str());
  if (stream == nullptr) {
    if (errno == ENOENT) return result;
    fail(step::kRecord, root);
  }
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] == '.') continue;
    Container container(root + "/" + entry->d_name);
    if (container.read()) result.push_back(std::move(container));
  }
  closedir(stream);
  std::ranges::sort(result, {}, [](const Container& one) { return one.state_.id; });
  return result;
}

bool Container::read() {
  std::string text;
  try {
    text = readFile(dir_ + "/" + kState, step::kRecord);
  } catch (const Failure& failure) {
    if (failure.error == ENOENT || failure.error == ENOTDIR) return false;
    throw;
  }
  try {
    const Json value = Json::parse(text);
    State state;
    state.ociVersion = value.at("ociVersion").get<std::string>();
    state.id = value.at("id").get<std::string>();
    state.bundle = value.at("bundle").get<std::string>();
    state.rootfs = value.at("rootfs").get<std::string>();
    state.created = value.at("created").get<std::string>();
    state.pid = value.at("pid").get<pid_t>();
    state.startTime = value.at("startTime").get<std::string>();
    state.cgroup = value.at("cgroup").get<std::string>();
    state.ownPids = value.at("ownPids").get<bool>();
    state.owner = value.at("owner").get<uid_t>();
    state.annotations = value.at("annotations").get<std::map<std::string, std::string>>();
    state_ = std::move(state);
  } catch (const std::exception& error) {
    throw Failure(step::kRecord, EINVAL, dir_ + "/" + kState, error.what());
  }
  return true;
}

void Container::save(const State& state) {
  state_ = state;
  const Json value{{"ociVersion", state.ociVersion},  {"id", state.id},
                   {"bundle", state.bundle},          {"rootfs", state.rootfs},
                   {"created", state.created},        {"pid", state.pid},
                   {"startTime", state.startTime},    {"cgroup", state.cgroup},
                   {"ownPids", state.ownPids},        {"owner", state.owner},
                   {"annotations", state.annotations}};
  replaceFile(dir_, kState, value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", false,
              step::kRecord);
}

void Container::lock() {
  const std::string path = dir_ + "/lock";
  lock_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_ && errno == ENOENT) throw missing(state_.id);
  if (!lock_) fail(step::kHelperLock, path);
  lockByte(lock_.get(), kOperationByte, true);
  struct stat info, now;
  if (fstat(lock_.get(), &info) != 0 || stat(path.c_str(), &now) != 0 || info.st_ino != now.st_ino)
    throw missing(state_.id);
  read();
}

UniqueFd Container::process() const {
  if (state_.pid <= 0) return {};
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, state_.pid, 0)));
  // The number was looked at after the fd was open: what is found there now is what the fd means, or that has
  // ended.
  if (pidfd && startTimeOf(state_.pid) == state_.startTime) return pidfd;
  return {};
}

/// The first process holds the reading end of its gate until it becomes the program.
bool Container::waitsAtGate() const {
  const UniqueFd gate(::open(gatePath().c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  return static_cast<bool>(gate);
}

std::optional<Cgroup> Container::cgroup() const {
  if (state_.cgroup.empty()) return std::nullopt;
  return Cgroup::open(state_.cgroup);
}

Status Container::status() const {
  if (state_.ociVersion.empty()) return Status::creating;
  if (state_.pid == 0) {
    // Whoever makes it holds the lock for that long.
    const UniqueFd lock(::open((dir_ + "/lock").c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    return lock && isByteHeld(lock.get(), kOperationByte) ? Status::creating : Status::stopped;
  }
  if (!process()) return Status::stopped;
  if (waitsAtGate()) return Status::created;
  const auto group = cgroup();
  return group && group->isFrozen() ? Status::paused : Status::running;
}

std::string Container::json(Status status, int indent) const {
  Json value{{"ociVersion", state_.ociVersion},
             {"id", state_.id},
             {"pid", status == Status::stopped ? 0 : state_.pid},
             {"status", nameOf(status)},
             {"bundle", state_.bundle},
             {"rootfs", state_.rootfs},
             {"created", state_.created}};
  if (!state_.annotations.empty()) value["annotations"] = state_.annotations;
  value["owner"] = state_.owner == 0 ? "root" : std::to_string(state_.owner);
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

HookState Container::hookState(Status status) const {
  Json value{{"ociVersion", state_.ociVersion},
             {"id", state_.id},
             {"status", nameOf(status)},
             {"bundle", state_.bundle}};
  if (!state_.annotations.empty()) value["annotations"] = state_.annotations;
  std::string tail = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  tail[0] = ',';
  return {"{\"pid\":", tail};
}

void Container::remove() {
  Ledger::releaseAll(dir_);
  removeTree(dir_);
}

}  // namespace tsrun::oci
