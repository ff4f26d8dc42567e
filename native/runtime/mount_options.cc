#include "runtime/mount_options.h"

#include <string_view>

#include "runtime/mount_api.h"

namespace tsrun {
namespace {

struct Word {
  std::string_view name;
  std::uint64_t set, clear;
};

constexpr Word kAttributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    // The access-time modes are one field: setting any of them clears the whole field first.
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
};

constexpr Word kPropagation[] = {
    {"shared", MS_SHARED, 0},
    {"slave", MS_SLAVE, 0},
    {"private", MS_PRIVATE, 0},
    {"unbindable", MS_UNBINDABLE, 0},
};

const Word* find(const auto& table, std::string_view name) {
  for (const Word& word : table)
    if (word.name == name) return &word;
  return nullptr;
}

void apply(MountOptions::Attributes& attributes, const Word& word) {
  attributes.set = (attributes.set & ~word.clear) | word.set;
  attributes.clear =
      word.set != 0 && word.clear == 0 ? attributes.clear & ~word.set : attributes.clear | word.clear;
}

}  // namespace

MountOptions parseMountOptions(const std::vector<std::string>& options) {
  MountOptions result;
  for (const std::string& option : options) {
    const std::string_view word = option;
    const std::string_view rest = word.starts_with('r') ? word.substr(1) : std::string_view();
    if (word.empty() || word == "defaults") continue;
    if (word == "bind" || word == "rbind") {
      result.bind = true;
      result.recursive |= word == "rbind";
    } else if (const Word* plain = find(kAttributes, word)) {
      apply(result.mount, *plain);
    } else if (const Word* recursive = find(kAttributes, rest)) {
      apply(result.tree, *recursive);
    } else if (const Word* spread = find(kPropagation, word)) {
      result.propagation = spread->set;
      result.recursivePropagation = false;
    } else if (const Word* spreadAll = find(kPropagation, rest)) {
      result.propagation = spreadAll->set;
      result.recursivePropagation = true;
    } else if (word == "idmap" || word == "ridmap") {
      result.mapIds = true;
      result.recursiveIds = word == "ridmap";
    } else if (word == "tmpcopyup") {
      result.copyUp = true;
    } else {
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos)
        result.data.emplace_back(word, "");
      else
        result.data.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return result;
}

}  // namespace tsrun
