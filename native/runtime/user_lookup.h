#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tsrun {

/// passwd and group files of an image, read without NSS and without allocating: they are hostile bytes, read
/// by a process with the host's rights. At most 10 MiB are read; ids are 0 to 2^31-1, anything else is an
/// error and never becomes 0.
inline constexpr std::uint64_t kMaxDatabase = 10u << 20;
inline constexpr std::size_t kMaxGroups = 65536;  // NGROUPS_MAX

struct FoundUser {
  uid_t uid = 0;
  gid_t gid = 0;
  bool hasEntry = false;
  char name[256] = "";  ///< of the entry, "" without one
  char home[1024] = "/";
};

struct Groups {
  gid_t* ids = nullptr;  ///< room for kMaxGroups
  std::size_t count = 0;
};

/// Why a lookup failed: errno (0 if it is not about a system call) and Docker's words.
struct LookupError {
  int error = 0;
  char detail[400] = "";
};

enum class Id { none, valid, range };
/// Whether `text` is a decimal id, and which.
Id parseId(std::string_view text, std::uint32_t& id);

/// The user named or numbered `text` ("" = 0) in the open file `passwd` (-1 = there is none): the first entry
/// with that name or id; a number needs no entry.
bool findUser(int passwd, std::string_view text, FoundUser& user, LookupError& error);

/// The group named or numbered `text` in the open file `group` (-1 = there is none).
bool findGroup(int group, std::string_view text, gid_t& gid, LookupError& error);

/// Appends the groups that list `user` as a member.
bool findMemberships(int group, std::string_view user, Groups& groups, LookupError& error);

/// Sorts and removes doubles.
void normalize(Groups& groups);

}  // namespace tsrun
