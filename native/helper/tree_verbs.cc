#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "helper/answer.h"
#include "helper/verbs.h"
#include "layer/apply.h"
#include "layer/bytes.h"
#include "layer/compress.h"
#include "layer/json_text.h"
#include "layer/listing.h"
#include "layer/pack.h"
#include "layer/tar_numbers.h"
#include "runtime/remove.h"

/// The verbs that work on trees of files. Each ends with one line of JSON on fd 2: HelperResult of
/// src/native/protocol.ts.
namespace tsrun {
namespace {

constexpr char kUsage[] = "usage";

/// `--name value` pairs.
class Options {
 public:
  Options(int argc, char** argv) : argc_(argc), argv_(argv) {}

  /// Calls `take(name, value)` for each; it returns false for a name it does not know.
  template <typename Take>
  void each(Take take) {
    for (int i = 0; i < argc_; i += 2) {
      if (i + 1 >= argc_ || !take(std::string(argv_[i]), std::string(argv_[i + 1]))) {
        throw Failure(kUsage, EINVAL, argv_[i]);
      }
    }
  }

 private:
  int argc_;
  char** argv_;
};

/// NUL-separated absolute paths; a missing file is an empty list. Read before the jail.
std::set<std::string> readStubs(const std::string& path) {
  std::set<std::string> stubs;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return stubs;
    fail("layer.stubs", path);
  }
  std::string text;
  char buffer[4096];
  while (const std::size_t got = readSome(file.get(), buffer, sizeof buffer, "layer.stubs", path))
    text.append(buffer, got);
  for (std::size_t at = 0; at < text.size();) {
    const std::string entry = text.c_str() + at;
    at += entry.size() + 1;
    stubs.insert(entry.substr(std::min(entry.find_first_not_of('/'), entry.size())));
  }
  return stubs;
}

bool takeUpperOption(UpperRequest& request, const std::string& name, const std::string& value) {
  if (name == "--upper") {
    request.upper = value;
  } else if (name == "--lower") {
    request.lowers.push_back(value);
  } else if (name == "--stubs") {
    request.stubs = readStubs(value);
  } else {
    return false;
  }
  return true;
}

void need(const std::string& value, const char* name) {
  if (value.empty()) throw Failure(kUsage, EINVAL, name);
}

}  // namespace

/// apply --target DIR [--base yes | --lower DIR ...]
int applyVerb(int argc, char** argv) {
  return answering([&] {
    ApplyRequest request;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      if (name == "--target") {
        request.target = value;
      } else if (name == "--lower") {
        if (!request.lowers) request.lowers.emplace();
        request.lowers->push_back(value);
      } else if (name == "--base" && value == "yes") {
        if (!request.lowers) request.lowers.emplace();
      } else {
        return name == "--compression" && value == "auto";
      }
      return true;
    });
    need(request.target, "--target");
    const ApplyResult result = applyLayer(request);
    JsonObject object;
    object.text("digest", result.digest).text("diffId", result.diffId);
    object.number("size", result.size).number("tarSize", result.tarSize).number("entries", result.entries);
    object.number("contentSize", result.contentSize).boolean("standalone", result.standalone);
    return object;
  });
}

/// pack --upper DIR [--lower DIR]... [--stubs FILE] [--clamp-mtime SECONDS] [--whole yes]
///      [--volume DIR --at PATH [--part PATH]]...
int packVerb(int argc, char** argv) {
  return answering([&] {
    PackRequest request;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      if (name == "--volume") {
        request.volumes.push_back({.path = {}, .dir = value, .part = {}});
      } else if (name == "--at" && !request.volumes.empty()) {
        request.volumes.back().path = value;
      } else if (name == "--part" && !request.volumes.empty()) {
        request.volumes.back().part = value;
      } else if (name == "--whole") {
        request.whole = value == "yes";
        return request.whole;
      } else if (name == "--clamp-mtime") {
        const auto seconds = parseDecimal(value);
        if (seconds) request.clampMtime = static_cast<std::int64_t>(*seconds);
        return seconds.has_value();
      } else {
        return takeUpperOption(request, name, value);
      }
      return true;
    });
    need(request.upper, "--upper");
    for (const PackVolume& volume : request.volumes) need(volume.path, "--at");
    const PackResult result = packLayer(request);
    JsonObject object;
    object.text("diffId", result.diffId).number("tarSize", result.tarSize).number("entries", result.entries);
    object.number("contentSize", result.contentSize).number("skippedSockets", result.skippedSockets);
    return object;
  });
}

/// diff --upper DIR [--lower DIR]... [--stubs FILE]
int diffVerb(int argc, char** argv) {
  return answering([&] {
    UpperRequest request;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      return takeUpperOption(request, name, value);
    });
    need(request.upper, "--upper");
    JsonObject object;
    object.number("changes", diffLayer(request));
    return object;
  });
}

/// compress [--level 1-12]
int compressVerb(int argc, char** argv) {
  return answering([&] {
    constexpr int kDefault = 6, kBest = 12;
    int level = kDefault;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      const auto number = parseDecimal(value);
      if (name != "--level" || !number || *number < 1 || *number > kBest) return false;
      level = static_cast<int>(*number);
      return true;
    });
    const CompressResult result = compressLayer(level);
    JsonObject object;
    object.text("digest", result.digest).text("diffId", result.diffId);
    object.number("size", result.size).number("tarSize", result.tarSize);
    return object;
  });
}

/// list --layer DIR...
int listVerb(int argc, char** argv) {
  return answering([&] {
    std::vector<std::string> layers;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      if (name != "--layer") return false;
      layers.push_back(value);
      return true;
    });
    JsonObject object;
    object.number("entries", listLayers(layers));
    return object;
  });
}

/// remove PATH...
int removeVerb(int argc, char** argv) {
  return answering([&] {
    for (int i = 0; i < argc; ++i) removeTree(argv[i]);
    JsonObject object;
    object.number("removed", static_cast<std::uint64_t>(argc));
    return object;
  });
}

}  // namespace tsrun
