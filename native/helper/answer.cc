#include "helper/answer.h"

#include <string.h>
#include <unistd.h>

#include <cctype>
#include <exception>
#include <new>

#include "layer/bytes.h"

namespace tsrun {
namespace {

/// The words of the errno, as Go programs and so Docker's messages have them: no capital, from a table in the
/// C library that does not depend on a locale (nothing may be loaded inside a jail).
std::string errorText(int error) {
  const char* text = error != 0 ? strerrordesc_np(error) : nullptr;
  if (text == nullptr) return "";
  std::string lower = text;
  if (lower.size() > 1 && std::islower(static_cast<unsigned char>(lower[1])) != 0) {
    lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
  }
  return lower;
}

}  // namespace

int answer(const std::string& line) {
  try {
    writeAll(STDERR_FILENO, line.data(), line.size(), "result", "stderr");
  } catch (const Failure&) {
    return 1;  // nobody listens any more
  }
  return 0;
}

int answerFailure(const Failure& failure) {
  const std::string words = errorText(failure.error);
  const std::string detail =
      failure.detail.empty() || words.empty() ? failure.detail + words : failure.detail + ": " + words;
  JsonObject object;
  object.text("step", failure.step).number("errno", static_cast<std::uint64_t>(failure.error));
  object.text("subject", failure.subject).text("detail", detail);
  answer("{\"fail\":" + object.finish() + "}\n");
  return 1;
}

int answerCurrentException() {
  try {
    throw;
  } catch (const Failure& failure) {
    return answerFailure(failure);
  } catch (const std::bad_alloc&) {
    return answerFailure(Failure("layer.memory", ENOMEM, "layer"));
  } catch (const std::exception& error) {
    return answerFailure(Failure("layer.internal", 0, "layer", error.what()));
  }
}

}  // namespace tsrun
