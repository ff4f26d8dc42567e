#include "layer/compress.h"

#include <libdeflate.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
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

/// One member on its way: filled by the reader, compressed by a worker, written by the reader again.
struct Member {
  enum class State { free, filled, done };
  State state = State::free;
  std::vector<unsigned char> in = std::vector<unsigned char>(kMember), out;
  std::size_t inSize = 0, outSize = 0;
};

class Workers {
 public:
  Workers(std::vector<Member>& ring, unsigned count, int level) : ring_(ring) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this, level] { work(level); });
  }
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    filled_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void start(Member& member) {
    {
      const std::lock_guard lock(mutex_);
      member.state = Member::State::filled;
    }
    filled_.notify_one();
  }

  void wait(Member& member) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return member.state == Member::State::done; });
    member.state = Member::State::free;
  }

 private:
  void work(int level) {
    const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
        libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    std::unique_lock lock(mutex_);
    for (;;) {
      filled_.wait(lock, [&] { return over_ || ring_[next_].state == Member::State::filled; });
      if (over_) return;
      Member& member = ring_[next_];
      next_ = (next_ + 1) % ring_.size();
      lock.unlock();
      if (compressor) {
        member.out.resize(libdeflate_gzip_compress_bound(compressor.get(), member.inSize));
        member.outSize = libdeflate_gzip_compress(compressor.get(), member.in.data(), member.inSize,
                                                  member.out.data(), member.out.size());
      }
      lock.lock();
      member.state = Member::State::done;
      done_.notify_one();
    }
  }

  std::vector<Member>& ring_;
  std::mutex mutex_;
  std::condition_variable filled_, done_;
  std::size_t next_ = 0;
  bool over_ = false;
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
    workers.wait(member);
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
    workers.start(member);
    ++begun;
  }
  while (written < begun) writeOldest();
  result.diffId = "sha256:" + plain.hex();
  result.digest = "sha256:" + packed.hex();
  return result;
}

}  // namespace tsrun
