#pragma once
#include <string>

#include "base/failure.h"
#include "layer/json_text.h"

/// How the verbs that work on trees of files tell their result: one line of JSON on fd 2, HelperResult of
/// src/native/protocol.ts. Each returns the exit code.
namespace tsrun {

int answer(const std::string& line);
int answerFailure(const Failure& failure);
/// Of the exception that is being handled, whatever it is.
int answerCurrentException();

/// Runs `work`, which returns the result object, and prints whichever way it ends.
template <typename Work>
int answering(Work work) {
  try {
    return answer("{\"ok\":" + work().finish() + "}\n");
  } catch (...) {
    return answerCurrentException();
  }
}

}  // namespace tsrun
