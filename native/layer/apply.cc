#include "layer/apply.h"

#include <sys/stat.h>

#include <memory>
#include <thread>

#include "base/failure.h"
#include "layer/inflate.h"
#include "layer/jail.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/pipeline.h"
#include "layer/privilege.h"
#include "layer/unpacker.h"

namespace tsrun {
namespace {

/// The first thread: input -> digest -> inflate -> ring.
class Producer {
 public:
  explicit Producer(const ApplyRequest& request) : input_(request.input, request.growing) {}

  void run() noexcept {
    try {
      setCapabilities({}, {});  // it only reads what is open already
      pump();
      ring_.finish(nullptr);
    } catch (...) {
      ring_.finish(std::current_exception());
    }
  }

  ChunkRing& ring() { return ring_; }
  std::uint64_t size() const { return input_.size(); }
  bool compressed() const { return compression_ != Compression::none; }
  std::string digest() { return input_.digest(); }

 private:
  void pump() {
    compression_ = sniff(input_);
    input_.hash(compressed());
    const auto inflater = makeInflater(compression_, input_);
    std::uint64_t total = 0;
    for (;;) {
      unsigned char* chunk = ring_.acquire();
      if (chunk == nullptr) return;
      const std::size_t got = inflater->read(chunk, ChunkRing::kChunk);
      total += got;
      guard(total);
      if (got > 0) ring_.commit(got);
      if (got < ChunkRing::kChunk) return;
    }
  }

  void guard(std::uint64_t total) const {
    const bool bomb = total > limits::kRatioFrom && total / limits::kRatio > input_.size();
    if (bomb || total > limits::kTarBytes) {
      throw Failure(step::kLayerInflate, 0, "layer", "it expands to far more than its size allows");
    }
  }

  ChunkRing ring_;
  InputStream input_;
  Compression compression_ = Compression::none;
};

/// A failure must not wait for a producer that waits for its input, so then the thread is left behind, with
/// what it uses; the process ends at once.
class ProducerThread {
 public:
  explicit ProducerThread(const ApplyRequest& request)
      : producer_(std::make_shared<Producer>(request)), thread_([own = producer_] { own->run(); }) {}
  ProducerThread(const ProducerThread&) = delete;
  ProducerThread& operator=(const ProducerThread&) = delete;
  ~ProducerThread() {
    if (!thread_.joinable()) return;
    producer_->ring().abandon();
    thread_.detach();
  }

  ChunkRing& ring() { return producer_->ring(); }
  Producer& join() {
    thread_.join();
    return *producer_;
  }

 private:
  std::shared_ptr<Producer> producer_;
  std::thread thread_;
};

}  // namespace

ApplyResult applyLayer(const ApplyRequest& request) {
  Below below = Below::unknown;
  if (request.lowers) below = request.lowers->empty() ? Below::nothing : Below::given;
  const Jail jail =
      enterJail(request.target, request.lowers.value_or(std::vector<std::string>{}), JailMode::apply);
  TargetTree tree(jail.root.get(), below, LowerDir::root(jail.lowers));

  ProducerThread thread(request);
  RingStream stream(thread.ring());
  TarReader reader(stream);
  Unpacker unpacker(reader, tree);
  unpacker.run();

  Producer& producer = thread.join();
  ApplyResult result;
  result.diffId = "sha256:" + stream.digest();
  result.digest = producer.compressed() ? "sha256:" + producer.digest() : result.diffId;
  result.size = producer.size();
  result.tarSize = stream.size();
  result.entries = unpacker.entries();
  result.contentSize = unpacker.contentSize();
  result.standalone = tree.standalone();
  return result;
}

}  // namespace tsrun
