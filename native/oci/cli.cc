#include "oci/cli.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "oci/context.h"
#include "oci/message.h"
#include "runtime/steps.h"

#ifndef TSRUN_VERSION
#define TSRUN_VERSION "0.0.0"
#endif

namespace tsrun::oci {
namespace {

const std::vector<Option> kGlobal = {
    {"root", "", "DIR", "where the state of containers is kept"},
    {"log", "", "FILE", "append messages to FILE as well"},
    {"log-format", "", "FORMAT", "text or json"},
    {"debug", "", "", "say what is done"},
    {"systemd-cgroup", "", "", "let systemd make the cgroups"},
    {"cgroup-manager", "", "NAME", "cgroupfs, systemd or disabled"},
    {"rootless", "", "MODE", "accepted, and found out from the user instead"},
    {"criu", "", "PATH", "accepted and not used"},
    {"help", "h", "", "show this"},
    {"version", "v", "", "show the version"},
};

const std::vector<Option> kCreate = {
    {"bundle", "b", "DIR", "the bundle: the directory of config.json (default: here)"},
    {"console-socket", "", "PATH", "socket that gets the terminal's master"},
    {"pid-file", "", "FILE", "file that gets the process's id"},
    {"pidfd-socket", "", "PATH", "socket that gets a pidfd of the process"},
    {"no-pivot", "", "", "accepted: the root is always changed by pivot_root"},
    {"no-new-keyring", "", "", "keep the caller's session keyring"},
    {"preserve-fds", "", "N", "file descriptors from 3 up that the process keeps"},
};

std::vector<Option> with(std::vector<Option> options, std::initializer_list<Option> more) {
  options.insert(options.end(), more);
  return options;
}

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"create", "ID", "make a container, whose process waits to be started", kCreate, true, createVerb},
      {"start", "ID", "start what was created", {}, true, startVerb},
      {"run", "ID", "create and start, and wait for the end",
       with(kCreate, {{"detach", "d", "", "do not wait"},
                      {"keep", "", "", "keep the container after its end"},
                      {"no-subreaper", "", "", "accepted: processes are never taken over"}}),
       true, runVerb},
      {"exec",
       "ID [PROGRAM ARGUMENT...]",
       "run one more process in a container",
       {{"process", "p", "FILE", "the process as JSON, in place of arguments"},
        {"console-socket", "", "PATH", "socket that gets the terminal's master"},
        {"cwd", "", "DIR", "working directory"},
        {"env", "e", "NAME=VALUE", "one more variable (several times)"},
        {"tty", "t", "", "with a terminal"},
        {"user", "u", "UID[:GID]", "numbers of the user and the group"},
        {"additional-gids", "g", "GID", "one more group (several times)"},
        {"cap", "c", "NAME", "one more capability (several times)"},
        {"detach", "d", "", "do not wait"},
        {"pid-file", "", "FILE", "file that gets the process's id"},
        {"pidfd-socket", "", "PATH", "socket that gets a pidfd of the process"},
        {"process-label", "", "LABEL", "SELinux label"},
        {"apparmor", "", "PROFILE", "AppArmor profile"},
        {"no-new-privs", "", "", "no program may give it more rights"},
        {"preserve-fds", "", "N", "file descriptors from 3 up that the process keeps"},
        {"cgroup", "", "[CONTROLLER:]PATH", "a cgroup below the container's (several times)"},
        {"ignore-paused", "", "", "wait until a paused container is resumed"}},
       false,
       execVerb,
       255},
      {"state", "ID", "what is known of a container, as JSON", {}, true, stateVerb},
      {"kill",
       "ID [SIGNAL]",
       "send a signal (default: SIGTERM)",
       {{"all", "a", "", "to all processes of the container"}},
       true,
       killVerb},
      {"delete",
       "ID",
       "remove a container that has stopped",
       {{"force", "f", "", "also one that runs, by SIGKILL"}},
       true,
       deleteVerb},
      {"list",
       "",
       "all containers",
       {{"format", "f", "FORMAT", "table or json"}, {"quiet", "q", "", "ids alone"}},
       true,
       listVerb},
      {"ps",
       "ID [PS-OPTION...]",
       "the processes of a container",
       {{"format", "f", "FORMAT", "table or json"}},
       false,
       psVerb},
      {"pause", "ID", "freeze all processes of a container", {}, true, pauseVerb},
      {"resume", "ID", "let them go on", {}, true, resumeVerb},
      {"update",
       "ID",
       "change the limits of a container",
       {{"resources", "r", "FILE", "linux.resources as JSON; - is standard input"},
        {"memory", "", "BYTES", "most memory"},
        {"memory-reservation", "", "BYTES", "memory that is left to it under pressure"},
        {"memory-swap", "", "BYTES", "most memory and swap together; -1: no limit"},
        {"kernel-memory", "", "BYTES", "accepted: kernels no longer have it"},
        {"kernel-memory-tcp", "", "BYTES", "accepted: kernels no longer have it"},
        {"cpu-period", "", "MICROSECONDS", "period of the quota"},
        {"cpu-quota", "", "MICROSECONDS", "CPU time in each period; -1: no limit"},
        {"cpu-share", "", "WEIGHT", "share of CPU time relative to others"},
        {"cpu-rt-period", "", "MICROSECONDS", "period of realtime tasks"},
        {"cpu-rt-runtime", "", "MICROSECONDS", "time of realtime tasks in each period"},
        {"cpu-idle", "", "0|1", "run only when nobody else wants to"},
        {"cpu-burst", "", "MICROSECONDS", "what may be saved up and used later"},
        {"cpuset-cpus", "", "LIST", "CPUs it may run on"},
        {"cpuset-mems", "", "LIST", "memory nodes it may use"},
        {"blkio-weight", "", "WEIGHT", "share of block I/O, 10 to 1000"},
        {"pids-limit", "", "N", "most processes; -1: no limit"}},
       true,
       updateVerb},
      {"events",
       "ID",
       "tell of memory running out, and the usage now and then",
       {{"stats", "", "", "the usage, once"}, {"interval", "", "TIME", "time between (default: 5s)"}},
       true,
       eventsVerb},
      {"features", "", "what this runtime can do, as JSON", {}, true, featuresVerb},
      {"spec",
       "",
       "write an example config.json",
       {{"bundle", "b", "DIR", "where to (default: here)"},
        {"rootless", "", "", "for a user other than root"}},
       true,
       specVerb},
  };
  return all;
}

std::string nameOf(const char* path) {
  const char* slash = std::strrchr(path, '/');
  const std::string name = slash != nullptr ? slash + 1 : path;
  return name.empty() ? "tsrun-runtime" : name;
}

int print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

int help(const std::string& program) {
  std::string text = "NAME:\n   " + program + " - Open Container Initiative runtime\n\nUSAGE:\n   " +
                     program + " [OPTION...] VERB [ARGUMENT...]\n\nVERBS:\n";
  for (const Verb& verb : verbs()) {
    std::string line = std::string("   ") + verb.name;
    line.resize(14, ' ');
    text += line + verb.help + "\n";
  }
  return print(text + "\nOPTIONS:\n" + helpOf(kGlobal));
}

int help(const std::string& program, const Verb& verb) {
  std::string text = "NAME:\n   " + program + " " + verb.name + " - " + verb.help + "\n\nUSAGE:\n   " +
                     program + " " + verb.name + (verb.options.empty() ? " " : " [OPTION...] ") + verb.usage +
                     "\n";
  if (!verb.options.empty()) text += "\nOPTIONS:\n" + helpOf(verb.options);
  return print(text);
}

int version(const std::string& program) {
  // Line by line what callers read: the first is matched by its beginning.
  return print(program + " version " TSRUN_VERSION "\ncommit: tsrun\nspec: 1.2.1\n");
}

std::string defaultRoot() {
  const char* runtime = getuid() != 0 ? std::getenv("XDG_RUNTIME_DIR") : nullptr;
  return std::string(runtime != nullptr && *runtime == '/' ? runtime : "/run") + "/tsrun-runtime";
}

const Verb* findVerb(const std::string& name) {
  for (const Verb& verb : verbs())
    if (name == verb.name) return &verb;
  return nullptr;
}

Context contextOf(const Options& global, const std::string& program, char** argv) {
  Context context;
  context.program = program;
  context.argv = argv;
  context.root = global.valueOr("root", defaultRoot());
  const std::string manager = global.valueOr("cgroup-manager", "");
  if (!manager.empty() && manager != "cgroupfs" && manager != "systemd" && manager != "disabled")
    throw Failure(step::kUsage, 0, "--cgroup-manager " + manager, "neither cgroupfs, systemd nor disabled");
  context.systemdCgroup = global.flag("systemd-cgroup") || manager == "systemd";
  context.noCgroup = manager == "disabled";
  return context;
}

Log::Format formatOf(const Options& global) {
  const std::string format = global.valueOr("log-format", "text");
  if (format != "text" && format != "json")
    throw Failure(step::kUsage, 0, "--log-format " + format, "neither text nor json");
  return format == "json" ? Log::Format::json : Log::Format::text;
}

bool asksForHelp(const std::vector<std::string>& arguments, std::size_t from, bool mixed) {
  for (std::size_t i = from; i < arguments.size(); ++i) {
    if (arguments[i] == "-h" || arguments[i] == "--help") return true;
    if (arguments[i] == "--" || (!mixed && !arguments[i].starts_with('-'))) return false;
  }
  return false;
}

int runVerb(const std::string& program, const std::vector<std::string>& arguments, char** argv) {
  std::size_t at = 0;
  const Options global = Options::parse(kGlobal, arguments, at, false);
  setLog(Log(program, global.valueOr("log", ""), formatOf(global), global.flag("debug")));
  if (global.flag("version")) return version(program);
  if (global.flag("help") || at >= arguments.size()) return help(program);
  const std::string& name = arguments[at++];
  if (name == "help") return help(program);
  const Verb* verb = findVerb(name);
  if (verb == nullptr) throw Failure(step::kUsage, 0, name, "there is no such verb");
  if (asksForHelp(arguments, at, verb->mixed)) return help(program, *verb);
  try {
    Context context = contextOf(global, program, argv);
    Options options = Options::parse(verb->options, arguments, at, verb->mixed);
    context.options = std::move(options);
    if (!verb->mixed) context.options.setRest({arguments.begin() + static_cast<long>(at), arguments.end()});
    return verb->run(context);
  } catch (const Failure& failure) {
    log().error(messageOf(failure));
    return verb->failureCode;
  }
}

}  // namespace

std::string onlyId(const Context& context) {
  const auto& rest = context.options.rest();
  if (rest.size() != 1)
    throw Failure(step::kUsage, 0, "", rest.empty() ? "the container's id is missing" : "too many arguments");
  return rest[0];
}

int main(int argc, char** argv) {
  const std::string program = nameOf(argc > 0 ? argv[0] : "");
  setLog(Log(program, "", Log::Format::text, false));
  umask(022);
  // It reads what a container's owner wrote, and holds fds of the host: nobody may trace it.
  prctl(PR_SET_DUMPABLE, 0);
  try {
    return runVerb(program, {argv + 1, argv + argc}, argv);
  } catch (const Failure& failure) {
    log().error(messageOf(failure));
  } catch (const std::exception& error) {
    log().error(std::string("internal error: ") + error.what());
  }
  return 1;
}

}  // namespace tsrun::oci
