#pragma once
#include <string>

#include "base/failure.h"

namespace tsrun::oci {

/// A failure as one line of text. Callers look for certain words in it: those of the errno, and "container
/// does not exist", "container not running", "executable file not found in $PATH".
std::string messageOf(const Failure& failure);

/// Where messages go: stderr, and the file of --log.
class Log {
 public:
  enum class Format { text, json };
  Log(std::string program, const std::string& file, Format format, bool debug);

  void error(const std::string& message) const;
  void warning(const std::string& message) const;
  void debug(const std::string& message) const;

 private:
  void write(const char* level, const std::string& message, bool alsoStderr) const;

  std::string program_;
  int fd_ = -1;  ///< of the file; -1 = stderr alone
  Format format_;
  bool debug_;
};

/// The one of this process; set by main before a verb runs.
const Log& log();
void setLog(Log log);

}  // namespace tsrun::oci
