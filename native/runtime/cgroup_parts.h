#pragma once
/// What the cgroup*.cc files share; nobody else includes it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgroup.h"

namespace tsrun::cgroupfs {

/// The file's content, or nullopt if it does not exist (or its cgroup is gone).
std::optional<std::string> read(const std::string& path);
/// Throws Failure(`step`) naming path and value.
void write(const char* step, const std::string& path, std::string_view value);
bool exists(const std::string& path);
/// Blank-separated words.
std::vector<std::string> words(std::string_view text);
bool contains(const std::vector<std::string>& list, std::string_view word);

/// Absolute, without "." or ".." or empty parts; throws Failure otherwise. "/a/b" -> "/a/b".
std::string checkedPath(const std::string& path);

/// The limits of `resources` as writes. `onV2` tells where each controller lives; pure but for that question.
class LimitPlan {
 public:
  using Host = LimitHost;
  static std::vector<Write> of(const Spec::Resources& resources, const Host& host);
};

/// Makes the devices rules effective: v1 by devices.deny and devices.allow, v2 by a program attached to
/// `dir`.
void applyDevicesV1(const std::string& dir, const std::vector<Spec::DeviceRule>& rules);
void applyDevicesV2(const std::string& dir, const std::vector<Spec::DeviceRule>& rules);
/// `rules` followed by what every container may always do: make nodes, and use the standard devices and its
/// own ptys.
std::vector<Spec::DeviceRule> withStandardDevices(std::vector<Spec::DeviceRule> rules);

/// oom_kill events at and below `dir`.
long long oomKills(const std::string& dir);

}  // namespace tsrun::cgroupfs
