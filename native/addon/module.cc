#include "addon/addon.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  tsrun::addon::initSpawn(env, exports);
  tsrun::addon::initLocks(env, exports);
  tsrun::addon::initSockets(env, exports);
  tsrun::addon::initTerminal(env, exports);
  tsrun::addon::initFiles(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrun, initialize)
