#include "layer/compress.h"

#include <libdeflate.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "base/failure.h"
#include "layer/bytes.h"
#include "layer/layer_steps.h"
#include "layer/privilege.h"
#include "layer/sha256.h"
#include "layer/syscall_filter.h"

namespace tsrun {
namespace {

constexpr std::size_t kMember = 1 << 20;

/// Posted as often as it is waited for. POSIX semaphores and no condition variable: in glibc before 2.41 a
/// signal of one with several waiters can be lost (glibc bug 25847; seen here with 2.36).
class Semaphore {
 public:
  Semaphore() { sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  void post() { sem_post(&semaphore_); }
  void wait() {
    while (sem_wait(&semaphore_) < 0 && errno == EINTR) {
    }
  }

 private:
  sem_t semaphore_;
};

/// One member on its way: filled by the reader, compressed by a worker, written by the reader again.
struct Member {
  std::vector<unsigned char> in = std::vector<unsigned char>(kMember), out;
  std::size_t inSize = 0, outSize = 0;
  Semaphore done;
};

/// They take the members of the ring in turn.
class Workers {
 public:
  Workers(std::vector<Member>& ring, unsigned count, int level) : ring_(ring) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this, level] { work(level); });
  }
  ~Workers() {
    over_ = true;
    for (std::size_t i = 0; i < threads_.size(); ++i) filled_.post();
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// The next one of the ring is filled.
  void start() { filled_.post(); }

 private:
  void work(int level) {
    const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
        libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    for (;;) {
      filled_.wait();
      if (over_) return;
      Member& member = ring_[next_++ % ring_.size()];
      if (compressor) {
        member.out.resize(libdeflate_gzip_compress_bound(compressor.get(), member.inSize));
        member.outSize = libdeflate_gzip_compress(compressor.get(), member.in.data(), member.inSize,
                                                  member.out.data(), member.out.size());
      }
      member.done.post();
    }
  }

  std::vector<Member>& ring_;
  Semaphore filled_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

std::size_t fill(unsigned char* into) {
  std::size_t size = 0;
  while (size < kMember) {
    const std::size_t got = readSome(STDIN_FILENO, into + size, kMember - size, step::kLayerRead, "stdin");
    if (got == 0) break;
    size += got;
  }
  return size;
}

}  // namespace

CompressResult compressLayer(int level) {
  const unsigned count = std::max(1U, std::thread::hardware_concurrency());
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), step::kLayerJail, "no_new_privs");
  setCapabilities({}, {});
  installSyscallFilter();

  CompressResult result;
  Sha256 plain, packed;
  std::vector<Member> ring(2 * count);
  Workers workers(ring, count, level);
  std::size_t begun = 0, written = 0;
  const auto writeOldest = [&] {
    Member& member = ring[written++ % ring.size()];
    member.done.wait();
    if (member.outSize == 0) throw Failure(step::kLayerDeflate, ENOMEM, "layer");
    packed.update(member.out.data(), member.outSize);
    result.size += member.outSize;
    writeAll(STDOUT_FILENO, member.out.data(), member.outSize, step::kLayerWrite, "stdout");
  };
  for (bool ended = false; !ended;) {
    if (begun - written == ring.size()) writeOldest();
    Member& member = ring[begun % ring.size()];
    member.inSize = fill(member.in.data());
    ended = member.inSize < kMember;
    if (member.inSize == 0 && begun > 0) break;  // nothing at all is a member too, an empty one
    plain.update(member.in.data(), member.inSize);
    result.tarSize += member.inSize;
    workers.start();
    ++begun;
  }
  while (written < begun) writeOldest();
  result.diffId = "sha256:" + plain.hex();
  result.digest = "sha256:" + packed.hex();
  return result;
}

}  // namespace tsrun
