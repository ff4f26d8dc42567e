#include <cstdio>
#include <cstring>

#include "helper/verbs.h"
#include "oci/cli.h"

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

int engineVerb(int argc, char** argv) {
  if (argc >= 3) {
    for (const Verb& verb : kVerbs) {
      if (std::strcmp(argv[2], verb.name) == 0) return verb.run(argc - 3, argv + 3);
    }
  }
  std::fprintf(stderr, "tsrun-runtime: unknown verb: %s\n", argc >= 3 ? argv[2] : "");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::strcmp(argv[1], "engine") == 0) return engineVerb(argc, argv);
  return tsrun::oci::main(argc, argv);
}
