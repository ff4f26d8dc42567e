#include "runtime/ledger.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/failure.h"
#include "runtime/cgroup.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kName[] = "/ledger";

struct Entry {
  std::string kind, subject;
};

struct Releaser {
  const char* kind;
  void (*release)(const std::string& subject);
};

constexpr Releaser kReleasers[] = {
    {"cgroup", releaseCgroup},
    {"veth", releaseVeth},
    {"lease", releaseLease},
};

void release(const Entry& entry) {
  for (const Releaser& releaser : kReleasers) {
    if (entry.kind == releaser.kind) return releaser.release(entry.subject);
  }
  throw Failure(step::kLedger, EINVAL, entry.kind,
                "no releaser for this kind: the ledger is of a newer tsrun");
}

std::vector<Entry> readEntries(const std::string& path) {
  std::string text;
  try {
    text = readFile(path, step::kLedger);
  } catch (const Failure& failure) {
    if (failure.error == ENOENT) return {};
    throw;
  }
  std::vector<Entry> entries;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const Json value = Json::parse(text.substr(begin, end - begin), nullptr, false);
    // A line is one write, made before its object: one that a power cut tore has no object behind it.
    if (!value.is_object()) continue;
    entries.push_back({value.value("kind", ""), value.value("subject", "")});
  }
  return entries;
}

}  // namespace

Ledger::Ledger(const std::string& dir) : path_(dir + kName) {
  file_ = UniqueFd(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) fail(step::kLedger, path_);
}

void Ledger::own(std::string_view kind, const std::string& subject) {
  const std::string line = Json{{"kind", kind}, {"subject", subject}}.dump() + "\n";
  if (!writeAll(file_.get(), line.data(), line.size())) fail(step::kLedger, path_);
}

void Ledger::releaseAll(const std::string& dir) {
  const std::vector<Entry> entries = readEntries(dir + kName);
  std::optional<Failure> first;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    try {
      release(*entry);
    } catch (const Failure& failure) {
      if (!first) first = failure;
    }
  }
  if (first) throw *first;
  removeFile(dir + kName, step::kLedger);
}

}  // namespace tsrun
