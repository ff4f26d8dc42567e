// The tree verbs alone, for scripts/asan-build.sh: the other verbs are of no interest to hostile archives.
#include <cstring>

#include "helper/verbs.h"
#include "verb_server.h"

#if defined(__SANITIZE_ADDRESS__)
// Built in, since the helper is started without an environment. No leak check: what is alive at a failure
// ends with the process, and the checker needs ptrace, which a jail has not. What is found goes to fd 2,
// where the harness looks for it. A small quarantine: memory is measured.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:quarantine_size_mb=4:exitcode=99";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1:exitcode=99";
}
#endif

namespace {

int runVerb(int argc, char** argv) {
  const struct {
    const char* name;
    int (*run)(int, char**);
  } verbs[] = {{"apply", tsrun::applyVerb}, {"diff", tsrun::diffVerb},     {"list", tsrun::listVerb},
               {"pack", tsrun::packVerb},   {"remove", tsrun::removeVerb}, {"compress", tsrun::compressVerb}};
  if (argc >= 1 && std::strcmp(argv[0], "engine") == 0) --argc, ++argv;
  for (const auto& verb : verbs) {
    if (argc >= 1 && std::strcmp(argv[0], verb.name) == 0) return verb.run(argc - 1, argv + 1);
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "serve") == 0) return serveVerbs(argv[2], runVerb);
  return runVerb(argc - 1, argv + 1);
}
