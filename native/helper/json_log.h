#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "runtime/launch.h"

namespace tsrun {

/// The container's `log` in the format of Docker's json-file driver: one JSON object a line, {"log",
/// "stream", "attrs", "time"}. Lines of output past 16 KiB are split; only the last part ends in a newline. A
/// full disk loses log lines, never the container.
class JsonLog {
 public:
  /// Opens `dir`/log for appending; the driver "none" makes every call a no-op. Throws Failure(step::kLog).
  JsonLog(const std::string& dir, const Launch::Log& options);

  /// Output of the container: stream 1 or 2.
  void write(int stream, const char* data, std::size_t length);
  /// Writes what is left of unfinished lines.
  void finish();
  int fd() const { return file_.get(); }

 private:
  struct Line {
    std::string text;
    std::string time;  ///< of the first part, while a line is written in parts
  };

  void split(Line& line, const char* stream, const char* data, std::size_t length);
  void emit(Line& line, const char* stream, const char* data, std::size_t length, bool complete);
  void flush();
  void rotate();
  void shift(unsigned number);
  std::string name(unsigned number) const;

  std::string path_;
  std::uint64_t maxSize_;
  unsigned maxFile_;
  bool compress_;
  std::string attributes_;  ///< as it stands between "stream" and "time"
  UniqueFd file_;
  UniqueFd compressor_;  ///< pidfd of the process that compresses the newest rotated file
  std::uint64_t size_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, used_ = 0;
  Line lines_[2];
};

}  // namespace tsrun
