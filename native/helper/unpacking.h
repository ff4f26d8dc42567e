#pragma once
#include <string>

#include "base/unique_fd.h"
#include "layer/apply.h"
#include "layer/json_text.h"

namespace tsrun {

/// The result of `apply` as the verbs tell it.
JsonObject applyAnswer(const ApplyResult& result);

/// A process that unpacks an archive while it is being made, in a jail of its own. It dies with this one.
class Unpacking {
 public:
  /// Forks: the calling process must have a single thread, and must not be jailed yet.
  explicit Unpacking(const ApplyRequest& request);

  /// Where the archive goes. Its reader may end early: then `finish` knows why.
  int fd() const { return archive_.get(); }

  /// Ends the archive and waits for the answer: a line as of the verb `apply`, empty if the process died.
  std::string finish();

 private:
  UniqueFd archive_, answer_;
};

}  // namespace tsrun
