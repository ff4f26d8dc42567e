#include <cstdio>
#include <cstring>

#include "helper/verbs.h"

namespace {

struct Verb {
  const char* name;
  int (*run)(int, char**);
};

constexpr Verb kVerbs[] = {
    {"monitor", tsrun::monitorVerb},    {"recover", tsrun::recoverVerb},  {"remove", tsrun::removeVerb},
    {"apply", tsrun::applyVerb},        {"diff", tsrun::diffVerb},        {"pack", tsrun::packVerb},
    {"compress", tsrun::compressVerb},  {"exec", tsrun::execVerb},        {"update", tsrun::updateVerb},
    {"copy-stat", tsrun::copyStatVerb}, {"copy-out", tsrun::copyOutVerb}, {"copy-in", tsrun::copyInVerb},
    {"probe", tsrun::probeVerb},        {"list", tsrun::listVerb},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2) {
    for (const Verb& verb : kVerbs) {
      if (std::strcmp(argv[1], verb.name) == 0) return verb.run(argc - 2, argv + 2);
    }
  }
  std::fprintf(stderr, "tsrun-runtime: unknown verb: %s\n", argc >= 2 ? argv[1] : "");
  return 1;
}
