#pragma once
#include <cstddef>
#include <cstdint>

namespace tsrun {

/// Writes JSON into a fixed buffer: no allocation, so it can be used between clone and exec. What does not
/// fit is left out and `truncated` says so; the text is never cut inside an escape or a character.
class JsonText {
 public:
  enum class Style {
    kPlain,
    /// As Docker's json-file driver writes a line: <, > and & and the two Unicode line ends escaped as well,
    /// for programs that read the file with an old JavaScript parser.
    kDockerLog,
  };

  JsonText(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) {}

  void raw(const char* text);
  void raw(const char* text, std::size_t length);
  void number(std::int64_t value);
  /// The inside of a string, without its quotes. Bytes that are not UTF-8 become U+FFFD. `room` is kept free
  /// behind it.
  void escaped(const char* text, std::size_t length, Style style, std::size_t room = 0);
  /// "text", quoted.
  void string(const char* text, std::size_t room = 0);

  std::size_t size() const { return size_; }
  bool truncated() const { return truncated_; }

 private:
  char* buffer_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  bool truncated_ = false;
};

/// The most bytes that one input byte can become in JsonText::escaped.
inline constexpr std::size_t kMaxEscape = 6;

}  // namespace tsrun
