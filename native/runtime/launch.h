#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/hooks.h"

namespace tsrun {

/// launch.json, version 1: the C++ side of LaunchSpec in src/native/launch.ts, which documents each field.
struct Launch {
  struct Overlay {
    std::vector<std::string> lower;
    std::string upper, work;
    bool isVolatile = false;
  };
  struct CopyUp {
    std::string source, destination;
  };
  struct Log {
    std::string driver = "json-file";
    std::uint64_t maxSize = 0;
    unsigned maxFile = 1;
    bool compress = false;
    std::string attributes;  ///< a JSON object, or empty
  };
  struct Network {
    std::string mode = "none";
    std::vector<std::string> extraHosts;
    std::string hostname;
  };
  struct Size {
    unsigned short rows = 0, cols = 0;
  };
  enum class RestartPolicy { kNo, kOnFailure, kAlways, kUnlessStopped };
  struct Restart {
    RestartPolicy policy = RestartPolicy::kNo;
    unsigned maxRetries = 0;  ///< of on-failure; 0 = without end
  };
  struct Health {
    std::vector<std::string> argv;
    std::uint64_t intervalMs = 0, timeoutMs = 0, startPeriodMs = 0, startIntervalMs = 0;
    unsigned retries = 0;
  };
  /// Absolute directories of the containers whose namespaces are joined; empty = none.
  struct Join {
    std::string pid, ipc, network;
  };
  struct Subpath {
    std::string destination, subpath;
  };

  /// What only an OCI bundle has; launch.json says nothing of it.
  struct Bundle {
    std::vector<Hook> createContainer, startContainer;
    bool hooksOutside = false;  ///< there are hooks that whoever makes the container runs
    HookState hookState;
    bool ownKeyring = true;
  };

  std::string id, storeTag;
  std::optional<Overlay> overlay;  ///< absent for an OCI bundle: then config.json's root.path is the root
  std::string user;
  std::vector<std::string> groupAdd;
  bool createCwd = false;
  std::vector<CopyUp> copyUp;
  Log log;
  Network network;
  bool openStdin = false, stdinOnce = false;
  std::optional<Size> consoleSize;
  bool autoRemove = false;
  std::string nameFile;
  std::vector<std::string> anonymousVolumes;
  Restart restart;
  std::optional<Health> health;
  bool init = false;
  int stopSignal = 15;
  int stopTimeout = 10;  ///< seconds; -1 = for ever
  Join join;
  std::vector<Subpath> subpaths;
  std::string events;  ///< empty = no journal
  std::map<std::string, std::string> eventAttributes;
  Bundle bundle;
};

/// Throws Failure(step::kHelperConfig) with the path and what is wrong.
Launch readLaunch(const std::string& path);

}  // namespace tsrun
