#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "helper/answer.h"
#include "helper/args.h"
#include "helper/container_view.h"
#include "helper/process.h"
#include "helper/verbs.h"
#include "layer/copy_in.h"
#include "layer/copy_out.h"
#include "layer/copy_path.h"
#include "layer/inflated_stream.h"
#include "layer/jail.h"
#include "layer/layer_steps.h"
#include "runtime/selfexe.h"
#include "runtime/steps.h"

/// The verbs behind `cp` and `export`: files of a container, or of this machine, as archives. They can work
/// on a tree of either kind, which becomes the root of the process before any of its bytes is looked at.
namespace tsrun {
namespace {

/// Which tree, and how far into it.
class Place {
 public:
  /// argv is main's own from the verb's arguments on.
  Place(const Args& args, char** argv) : dir_(args.optional("dir")), root_(args.optional("root")) {
    if (dir_.has_value() == root_.has_value()) throw Failure(step::kUsage, EINVAL, "--dir, --root", "one of");
    const std::string view = args.optional("view").value_or("files");
    if (view != "files" && view != "rootfs") throw Failure(step::kUsage, EINVAL, "--view", view);
    view_ = view == "rootfs" ? View::rootfs : View::files;
    // The operation byte of a container lives as long as the last of those that hold it, also when the first
    // one is killed.
    lock_ = args.fd("lock");
    if (!dir_) return;
    // A process that is in a container's namespace must not be traced from there, nor its program be written
    // (CVE-2016-9962, CVE-2019-5736).
    resetSignals();
    sealFds();
    prctl(PR_SET_DUMPABLE, 0);
    keepFds({lock_});
    protectSelf(wholeArgv(argv));
    prctl(PR_SET_DUMPABLE, 0);
    sealFds();
  }

  bool isContainer() const { return dir_.has_value(); }

  /// Returns the root's fd.
  UniqueFd enter(JailMode mode) const {
    // Whoever reads or feeds this is gone: so is the reason to go on.
    check(prctl(PR_SET_PDEATHSIG, SIGKILL), step::kHelperProtect, "parent death signal");
    umask(0);
    if (root_) return enterTreeJail(*root_, mode);
    enterContainerView(*dir_, view_);
    return lockUp(mode);
  }

 private:
  std::optional<std::string> dir_, root_;
  View view_;
  int lock_;
};

bool isYes(const Args& args, const char* name) {
  const auto value = args.optional(name);
  if (value && *value != "yes") throw Failure(step::kUsage, EINVAL, std::string("--") + name, *value);
  return value.has_value();
}

/// Before any bytes of the archive: what they are of, or that they may come.
void ready(const JsonObject& what) {
  if (answer("{\"ready\":" + what.finish() + "}\n") != 0) throw Failure(step::kLayerWrite, EPIPE, "stderr");
}

JsonObject describe(const CopyPath& found) {
  const struct stat& status = found.status;
  JsonObject object;
  object.number("mode", status.st_mode).number("size", static_cast<std::uint64_t>(status.st_size));
  object.text("mtime", std::to_string(status.st_mtim.tv_sec)).number("mtimeNanos", status.st_mtim.tv_nsec);
  object.text("target", found.target);
  return object;
}

Ownership ownershipOf(const Args& args) {
  const std::string text = args.optional("ownership").value_or("archive");
  if (text == "archive") return Ownership::archive;
  if (text == "caller") return Ownership::caller;
  throw Failure(step::kUsage, EINVAL, "--ownership", text);
}

CopyInRequest requestOf(const Args& args, bool ofContainer) {
  CopyInRequest request;
  request.target = args.required("path");
  request.shownTarget = args.optional("shown").value_or(request.target);
  request.base = args.optional("base").value_or("");
  request.newBase = args.optional("new-base").value_or("");
  request.ownership = ownershipOf(args);
  request.keepKinds = isYes(args, "keep-kinds");
  request.ofContainer = ofContainer;
  return request;
}

}  // namespace

/// copy-stat --dir DIR [--lock FD] --path PATH
int copyStatVerb(int argc, char** argv) {
  return answering([&] {
    const Args args(argc, argv);
    const Place place(args, argv);
    const UniqueFd root = place.enter(JailMode::copyOut);
    return describe(findCopyPath(root.get(), args.required("path")));
  });
}

/// copy-out (--dir DIR [--lock FD] [--view files|rootfs] | --root DIR) --path PATH [--name NAME]
int copyOutVerb(int argc, char** argv) {
  return answering([&] {
    const Args args(argc, argv);
    const Place place(args, argv);
    const UniqueFd root = place.enter(JailMode::copyOut);
    const CopyPath from = findCopyPath(root.get(), args.required("path"));
    ready(describe(from));
    const CopyOutResult result = copyOut(from, args.optional("name").value_or(""), STDOUT_FILENO);
    JsonObject object;
    object.number("tarSize", result.tarSize).number("entries", result.entries);
    object.number("skippedSockets", result.skippedSockets);
    return object;
  });
}

/// copy-in (--dir DIR [--lock FD] | --root DIR) --path PATH [--shown PATH] [--base PATH] [--new-base PATH]
///         [--ownership archive|caller] [--keep-kinds yes] [--compressed yes]
int copyInVerb(int argc, char** argv) {
  return answering([&] {
    const Args args(argc, argv);
    const Place place(args, argv);
    const bool perhapsCompressed = isYes(args, "compressed");
    const CopyInRequest request = requestOf(args, place.isContainer());
    const UniqueFd root = place.enter(JailMode::copyIn);
    CopyIn copy(root.get(), request);
    ready(JsonObject());
    InputStream input(STDIN_FILENO);
    input.hash(false);
    const Compression compression = perhapsCompressed ? sniff(input) : Compression::none;
    if (compression == Compression::none) {
      TarReader reader(input);
      copy.run(reader);
    } else {
      InflatedStream inflated(compression, input);
      TarReader reader(inflated);
      copy.run(reader);
    }
    JsonObject object;
    object.number("size", input.size()).number("entries", copy.entries());
    return object;
  });
}

}  // namespace tsrun
