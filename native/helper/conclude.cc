#include "helper/conclude.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "helper/unused_volumes.h"
#include "runtime/file.h"
#include "runtime/remove.h"
#include "runtime/steps.h"

namespace tsrun {

int exitCodeOf(const Failure& failure) {
  if (failure.step != step::kExec) return 128;
  return failure.error == ENOENT ? 127 : 126;
}

int exitCodeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void removeContainer(const std::string& dir, const Launch& launch) {
  const std::string containers = dir.substr(0, dir.rfind('/'));
  const std::string root = containers.substr(0, containers.rfind('/'));
  const std::string trash = root + "/trash";
  const std::string grave = trash + dir.substr(dir.rfind('/'));
  // The name first: a name without its container could never be given again, the reverse is a container to
  // remove.
  if (!launch.nameFile.empty()) removeFile(launch.nameFile, step::kRemove);
  if (mkdir(trash.c_str(), 0700) != 0 && errno != EEXIST) fail(step::kRemove, trash);
  // Somebody who was killed may have got as far as this before.
  removeTree(grave);
  if (rename(dir.c_str(), grave.c_str()) != 0 && errno != ENOENT) fail(step::kRemove, dir);
  removeTree(grave);
  removeUnusedVolumes(root, launch.anonymousVolumes);
}

}  // namespace tsrun
