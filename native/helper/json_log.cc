#include "helper/json_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/failure.h"
#include "helper/gzip_file.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/json_text.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// Docker's: a part of a line is what fits its copier's buffer, the newline included.
constexpr std::size_t kPart = 16 << 10;
constexpr std::size_t kAround = 128;  ///< keys, stream and time of one object
constexpr std::size_t kLine = kPart * kMaxEscape + kAround;
constexpr char kStreams[][7] = {"stdout", "stderr"};

int openLog(const std::string& path, int flags) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

}  // namespace

JsonLog::JsonLog(const std::string& dir, const Launch::Log& options)
    : path_(dir + "/log"),
      maxSize_(options.maxSize),
      maxFile_(std::max(1u, options.maxFile)),
      compress_(options.compress) {
  if (options.driver == "none") return;
  file_ = UniqueFd(check(openLog(path_, 0), step::kLog, path_));
  struct stat status {};
  check(fstat(file_.get(), &status), step::kLog, path_);
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (!options.attributes.empty()) attributes_ = ",\"attrs\":" + options.attributes;
  // Untouched pages of it cost nothing.
  capacity_ = kLine + attributes_.size();
  buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
}

void JsonLog::write(int stream, const char* data, std::size_t length) {
  if (!file_) return;
  split(lines_[stream - 1], kStreams[stream - 1], data, length);
  flush();
}

void JsonLog::finish() {
  if (!file_) return;
  for (int i = 0; i < 2; ++i) {
    if (!lines_[i].text.empty()) emit(lines_[i], kStreams[i], "", 0, false);
  }
  flush();
}

void JsonLog::split(Line& line, const char* stream, const char* data, std::size_t length) {
  while (length > 0) {
    const std::size_t room = std::min(length, kPart - line.text.size());
    const char* newline = static_cast<const char*>(std::memchr(data, '\n', room));
    const std::size_t taken = newline != nullptr ? static_cast<std::size_t>(newline - data) + 1 : room;
    if (newline != nullptr || line.text.size() + taken == kPart) {
      emit(line, stream, data, taken, newline != nullptr);
    } else {
      line.text.append(data, taken);
    }
    data += taken;
    length -= taken;
  }
}

/// One object: what `line` holds, and `data` behind it.
void JsonLog::emit(Line& line, const char* stream, const char* data, std::size_t length, bool complete) {
  if (maxSize_ != 0 && size_ + used_ >= maxSize_) {
    flush();
    rotate();
  }
  if (!line.text.empty()) {
    line.text.append(data, length);
    data = line.text.data();
    length = line.text.size();
  }
  if (used_ + length * kMaxEscape + kAround + attributes_.size() > capacity_) flush();
  if (line.time.empty()) line.time = rfc3339Now();

  JsonText text(buffer_.get() + used_, capacity_ - used_);
  text.raw("{\"log\":\"");
  text.escaped(data, length, JsonText::Style::kDockerLog);
  text.raw("\",\"stream\":\"");
  text.raw(stream);
  text.raw("\"");
  text.raw(attributes_.data(), attributes_.size());
  text.raw(",\"time\":\"");
  text.raw(line.time.data(), line.time.size());
  text.raw("\"}\n");
  used_ += text.size();

  line.text.clear();
  if (complete) line.time.clear();
}

void JsonLog::flush() {
  if (used_ == 0) return;
  if (writeAll(file_.get(), buffer_.get(), used_)) {
    size_ += used_;
  } else {
    // The disk is full: half a line would spoil the next one as well.
    ftruncate(file_.get(), static_cast<off_t>(size_));
  }
  used_ = 0;
}

std::string JsonLog::name(unsigned number) const {
  return number == 0 ? path_ : path_ + "." + std::to_string(number);
}

void JsonLog::rotate() {
  if (maxFile_ == 1) {
    if (ftruncate(file_.get(), 0) == 0) size_ = 0;
    return;
  }
  awaitEnd(compressor_);  // it gives its file the name that it has now
  for (unsigned number = maxFile_ - 1; number > 0; --number) shift(number);
  if (compress_) compressor_ = compressFile(name(1));
  UniqueFd next(openLog(path_, 0));
  struct stat status {};
  // Without a new file (no inode left, say) the old one goes on under its new name.
  if (!next || fstat(next.get(), &status) != 0) return;
  file_ = std::move(next);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

/// The file before `number` becomes `number`, whether it is compressed or (yet) not.
void JsonLog::shift(unsigned number) {
  for (const char* suffix : {"", kGzip}) {
    const std::string target = name(number) + suffix;
    unlink(target.c_str());
    rename((name(number - 1) + suffix).c_str(), target.c_str());
  }
}

}  // namespace tsrun
