#include "helper/unpacking.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/failure.h"
#include "helper/answer.h"
#include "layer/bytes.h"

namespace tsrun {
namespace {

constexpr char kStep[] = "layer.unpack";
/// Room for what the packer is ahead; the most that a user may have.
constexpr int kPipeSize = 1 << 20;

[[noreturn]] void unpack(const ApplyRequest& request, int archive, int answer, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  // fd 2 of the parent stays open here as another number: who waits for its end waits for this process too.
  if (dup(STDERR_FILENO) < 0 || dup2(archive, STDIN_FILENO) < 0 || dup2(answer, STDERR_FILENO) < 0) _exit(1);
  close(STDOUT_FILENO);
  _exit(answering([&] { return applyAnswer(applyLayer(request)); }));
}

}  // namespace

JsonObject applyAnswer(const ApplyResult& result) {
  JsonObject object;
  object.text("digest", result.digest).text("diffId", result.diffId);
  object.number("size", result.size).number("tarSize", result.tarSize).number("entries", result.entries);
  object.number("contentSize", result.contentSize).boolean("standalone", result.standalone);
  return object;
}

Unpacking::Unpacking(const ApplyRequest& request) {
  int archive[2], answer[2];
  check(pipe2(archive, O_CLOEXEC), kStep, "pipe");
  const UniqueFd archiveEnd(archive[0]);
  archive_ = UniqueFd(archive[1]);
  check(pipe2(answer, O_CLOEXEC), kStep, "pipe");
  answer_ = UniqueFd(answer[0]);
  const UniqueFd answerEnd(answer[1]);
  fcntl(archive_.get(), F_SETPIPE_SZ, kPipeSize);  // a smaller one serves as well
  const pid_t parent = getpid();
  const pid_t pid = check(fork(), kStep, "fork");
  if (pid != 0) return;
  archive_.reset();  // its own copy would keep the archive from ending
  answer_.reset();
  unpack(request, archiveEnd.get(), answerEnd.get(), parent);
}

std::string Unpacking::finish() {
  archive_.reset();
  std::string line;
  char buffer[4096];
  while (const std::size_t got = readSome(answer_.get(), buffer, sizeof buffer, kStep, "answer"))
    line.append(buffer, got);
  return line;
}

}  // namespace tsrun
