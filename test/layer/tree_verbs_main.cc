// The tree verbs alone, for scripts/asan-layer.sh: the other verbs are of no interest to hostile archives.
#include <cstring>

#include "helper/verbs.h"

#if defined(__SANITIZE_ADDRESS__)
// Built in, since the helper is started without an environment. No leak check: what is alive at a failure
// ends with the process, and the checker needs ptrace, which a jail has not. What is found goes to fd 2,
// where the harness looks for it.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}
#endif

int main(int argc, char** argv) {
  const struct {
    const char* name;
    int (*run)(int, char**);
  } verbs[] = {{"apply", tsrun::applyVerb},
               {"diff", tsrun::diffVerb},
               {"list", tsrun::listVerb},
               {"pack", tsrun::packVerb},
               {"compress", tsrun::compressVerb},
               {"remove", tsrun::removeVerb}};
  for (const auto& verb : verbs) {
    if (argc >= 2 && std::strcmp(argv[1], verb.name) == 0) return verb.run(argc - 2, argv + 2);
  }
  return 2;
}
