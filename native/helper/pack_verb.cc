#include <optional>
#include <string>
#include <vector>

#include "helper/answer.h"
#include "helper/options.h"
#include "helper/unpacking.h"
#include "helper/upper_options.h"
#include "helper/verbs.h"
#include "layer/json_text.h"
#include "layer/pack.h"
#include "layer/tar_numbers.h"

namespace tsrun {
namespace {

struct PackOptions {
  PackRequest pack;
  std::optional<ApplyRequest> unpack;
};

bool takeVolumeOption(std::vector<PackVolume>& volumes, const std::string& name, const std::string& value) {
  if (name == "--volume") {
    volumes.push_back({.path = {}, .dir = value, .part = {}});
  } else if (name == "--at" && !volumes.empty()) {
    volumes.back().path = value;
  } else if (name == "--part" && !volumes.empty()) {
    volumes.back().part = value;
  } else {
    return false;
  }
  return true;
}

bool takePackOption(PackOptions& options, const std::string& name, const std::string& value) {
  PackRequest& pack = options.pack;
  if (name == "--whole") {
    pack.whole = value == "yes";
    return pack.whole;
  }
  if (name == "--clamp-mtime") {
    const auto seconds = parseDecimal(value);
    if (seconds) pack.clampMtime = static_cast<std::int64_t>(*seconds);
    return seconds.has_value();
  }
  if (name == "--unpack") {
    options.unpack.emplace().target = value;
    options.unpack->lowers.emplace();
    return true;
  }
  if (name == "--onto" && options.unpack) {
    options.unpack->lowers->push_back(value);
    return true;
  }
  return takeVolumeOption(pack.volumes, name, value) || takeUpperOption(pack, name, value);
}

JsonObject packAnswer(const PackResult& result) {
  JsonObject object;
  object.text("diffId", result.diffId).number("tarSize", result.tarSize).number("entries", result.entries);
  object.number("contentSize", result.contentSize).number("skippedSockets", result.skippedSockets);
  return object;
}

/// What `apply` said goes into the result; if it failed, its failure is the verb's.
int packAndUnpack(PackRequest request, const ApplyRequest& target) {
  Unpacking unpacking(target);
  request.copy = unpacking.fd();
  std::optional<PackResult> packed;
  std::optional<Failure> broken;
  try {
    packed = packLayer(request);
  } catch (const Failure& failure) {
    // Else its reader is the victim, and not the cause.
    if (failure.error != EPIPE) throw;
    broken = failure;
  }
  const std::string line = unpacking.finish();
  constexpr std::string_view kOk = "{\"ok\":", kFail = "{\"fail\":", kEnd = "}\n";
  if (line.starts_with(kFail)) {
    answer(line);
    return 1;
  }
  if (broken) throw *broken;
  if (!line.starts_with(kOk) || !line.ends_with(kEnd))
    throw Failure("layer.unpack", 0, "layer", "the process that unpacks it died");
  const std::string unpacked = line.substr(kOk.size(), line.size() - kOk.size() - kEnd.size());
  return answer("{\"ok\":" + packAnswer(*packed).object("unpacked", unpacked).finish() + "}\n");
}

}  // namespace

/// pack --upper DIR [--lower DIR]... [--stubs FILE] [--clamp-mtime SECONDS] [--whole yes]
///      [--volume DIR --at PATH [--part PATH]]... [--unpack DIR [--onto DIR]...]
/// --unpack: what is packed is also applied there, over the layers --onto, at the same time.
int packVerb(int argc, char** argv) {
  try {
    PackOptions options;
    Options(argc, argv).each([&](const std::string& name, const std::string& value) {
      return takePackOption(options, name, value);
    });
    need(options.pack.upper, "--upper");
    for (const PackVolume& volume : options.pack.volumes) need(volume.path, "--at");
    if (options.unpack) return packAndUnpack(options.pack, *options.unpack);
    return answer("{\"ok\":" + packAnswer(packLayer(options.pack)).finish() + "}\n");
  } catch (...) {
    return answerCurrentException();
  }
}

}  // namespace tsrun
