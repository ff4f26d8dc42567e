#include "runtime/exec.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::string_view kPath = "PATH=", kHome = "HOME=";

bool isDirectory(const char* path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/// A file that this user may execute.
bool isProgram(const char* path) {
  return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 && !isDirectory(path);
}

}  // namespace

Program::Program(const Spec::Process& process) : args_(process.args), env_(process.env) {
  for (std::string& arg : args_) argv_.push_back(arg.data());
  argv_.push_back(nullptr);
  for (std::string& entry : env_) {
    envp_.push_back(entry.data());
    if (entry.starts_with(kPath)) path_ = entry.substr(kPath.size()), hasPath_ = true;
    hasHome_ |= entry.starts_with(kHome);
  }
  if (!hasHome_) envp_.push_back(home_);
  envp_.push_back(nullptr);
}

void Program::setHome(const char* home) {
  std::snprintf(home_, sizeof home_, "HOME=%s", home);
}

void Program::find(Report& report) {
  const char* name = argv_[0];
  report.step(step::kExec);
  if (std::strchr(name, '/') != nullptr) {
    if (std::strlen(name) >= sizeof found_) report.die(ENAMETOOLONG, name);
    std::strcpy(found_, name);
    // Anything else (a filter that does not know the call) is for execve to say.
    if (faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) < 0 &&
        (errno == ENOENT || errno == EACCES || errno == ENOTDIR))
      report.die(name);
    if (isDirectory(name)) report.die(EACCES, name, "is a directory");
    return;
  }
  for (const char* at = path_.c_str(); hasPath_;) {
    const std::size_t length = std::strcspn(at, ":");
    const int written = std::snprintf(found_, sizeof found_, "%.*s/%s",
                                      length > 0 ? static_cast<int>(length) : 1, length > 0 ? at : ".", name);
    if (written > 0 && static_cast<std::size_t>(written) < sizeof found_ && isProgram(found_)) return;
    if (at[length] == '\0') break;
    at += length + 1;
  }
  report.die(ENOENT, name, "executable file not found in $PATH");
}

void Program::run(Report& report) {
  if (found_[0] == '\0')
    find(report);
  else
    report.step(step::kExec);
  // Ignored up to here, as nobody may be reading the report any more.
  signal(SIGPIPE, SIG_DFL);
  execve(found_, argv_.data(), envp_.data());
  const int error = errno;
  // The kernel says EACCES for a directory too, which tells the user little.
  report.die(error, argv_[0], error == EACCES && isDirectory(found_) ? "is a directory" : "");
}

}  // namespace tsrun
