#include <unistd.h>

#include <climits>
#include <string>

#include "base/failure.h"
#include "helper/answer.h"
#include "helper/options.h"
#include "helper/unpacking.h"
#include "helper/upper_options.h"
#include "helper/verbs.h"
#include "layer/apply.h"
#include "layer/compress.h"
#include "layer/json_text.h"
#include "layer/listing.h"
#include "layer/pack.h"
#include "layer/tar_numbers.h"
#include "runtime/remove.h"

/// The verbs that work on trees of files. Each ends with one line of JSON on fd 2: HelperResult of
/// src/native/protocol.ts.
namespace tsrun {

/// apply --target DIR [--base yes | --lower DIR ...] [--growing FD]
/// --growing: the layer is the file FD, to which somebody still appends; fd 0 tells of it (InputStream).
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
      } else if (name == "--growing") {
        const auto number = parseDecimal(value);
        if (!number || *number > INT_MAX) return false;
        request.input = static_cast<int>(*number);
        request.growing = STDIN_FILENO;
      } else {
        return name == "--compression" && value == "auto";
      }
      return true;
    });
    need(request.target, "--target");
    return applyAnswer(applyLayer(request));
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
