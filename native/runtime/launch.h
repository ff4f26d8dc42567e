#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  };
  struct Network {
    std::string mode = "none";
    std::vector<std::string> extraHosts;
    std::string hostname;
  };
  struct Size {
    unsigned short rows = 0, cols = 0;
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
};

/// Throws Failure(step::kHelperConfig) with the path and what is wrong.
Launch readLaunch(const std::string& path);

}  // namespace tsrun
