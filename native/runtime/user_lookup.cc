#include "runtime/user_lookup.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tsrun {
namespace {

constexpr char kEnd = '\0';  // terminator of the last field of the file
constexpr std::uint64_t kMaxId = 2147483647;
constexpr char kRange[] = "uids and gids must be in range 0-2147483647";

/// A field of a line; what does not fit is noted, so that a cut-off name never matches.
template <std::size_t Size>
struct Slot {
  char text[Size];
  std::size_t length = 0;
  bool fits = true;

  void clear() { length = 0, fits = true; }
  void add(char c) {
    if (length < Size - 1)
      text[length++] = c;
    else
      fits = false;
  }
  std::string_view view() const { return {text, length}; }
  bool is(std::string_view wanted) const { return fits && view() == wanted; }
};

class Reader {
 public:
  explicit Reader(int fd) : fd_(fd) { lseek(fd, 0, SEEK_SET); }

  /// Reads one field into `slot` and returns what ended it: ':', ',' (if `commas`), '\n' or kEnd.
  template <std::size_t Size>
  char take(Slot<Size>& slot, bool commas = false) {
    slot.clear();
    for (;;) {
      if (at_ >= length_ && !fill()) return kEnd;
      const char c = buffer_[at_++];
      if (c == ':' || c == '\n' || (commas && c == ',')) return c;
      if (c != '\r' && c != '\0') slot.add(c);
    }
  }
  int error() const { return error_; }

 private:
  bool fill() {
    const ssize_t length = read(fd_, buffer_, sizeof buffer_);
    if (length < 0) error_ = errno;
    if (length <= 0) return false;
    total_ += static_cast<std::uint64_t>(length);
    if (total_ > kMaxDatabase) return error_ = EFBIG, false;
    at_ = 0;
    length_ = static_cast<std::size_t>(length);
    return true;
  }

  int fd_, error_ = 0;
  std::uint64_t total_ = 0;
  std::size_t at_ = 0, length_ = 0;
  char buffer_[8192];
};

bool failed(LookupError& error, int number, const char* format, std::string_view subject) {
  error.error = number;
  std::snprintf(error.detail, sizeof error.detail, format,
                static_cast<int>(std::min<std::size_t>(subject.size(), 256)), subject.data());
  return false;
}

bool outOfRange(LookupError& error) {
  error.error = 0;
  std::strcpy(error.detail, kRange);
  return false;
}

/// One line of the group file per call of `visit(name, gid, reader, end)`, which reads the members itself.
bool eachGroup(int group, LookupError& error, auto visit) {
  if (group < 0) return true;
  Reader reader(group);
  Slot<256> name, ignored;
  Slot<32> gid;
  for (char end = '\n'; end != kEnd;) {
    end = reader.take(name);
    gid.clear();
    if (end == ':') end = reader.take(ignored);
    if (end == ':') end = reader.take(gid);
    const bool complete = end == ':' || (gid.length > 0 && gid.fits);
    if (complete && !visit(name, gid, reader, end)) return true;
    while (end == ':' || end == ',') end = reader.take(ignored, true);
  }
  if (reader.error() == 0) return true;
  return failed(error, reader.error(), "cannot read /etc/group%.*s", "");
}

}  // namespace

Id parseId(std::string_view text, std::uint32_t& id) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return Id::none;
  std::uint64_t value = 0;
  for (char c : text) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > kMaxId) return Id::range;
  }
  if (negative) return Id::range;
  id = static_cast<std::uint32_t>(value);
  return Id::valid;
}

bool findUser(int passwd, std::string_view text, FoundUser& user, LookupError& error) {
  user = {};
  const std::string_view wanted = text.empty() ? "0" : text;
  std::uint32_t wantedId = 0;
  const Id kind = parseId(wanted, wantedId);
  if (kind == Id::range) return outOfRange(error);
  if (passwd >= 0) {
    Reader reader(passwd);
    Slot<256> name, ignored;
    Slot<32> uid, gid;
    Slot<1024> home;
    for (char end = '\n'; end != kEnd;) {
      uid.clear(), gid.clear(), home.clear();
      end = reader.take(name);
      for (int field = 1; end == ':'; field++)
        end = field == 2   ? reader.take(uid)
              : field == 3 ? reader.take(gid)
              : field == 5 ? reader.take(home)
                           : reader.take(ignored);
      std::uint32_t entryUid = 0, entryGid = 0;
      const Id uidKind = uid.fits ? parseId(uid.view(), entryUid) : Id::range;
      const Id gidKind = gid.fits ? parseId(gid.view(), entryGid) : Id::range;
      const bool byName = !text.empty() && name.length > 0 && name.is(wanted);
      const bool byId = kind == Id::valid && uidKind == Id::valid && entryUid == wantedId && name.length > 0;
      if (!byName && !byId) continue;
      if (uidKind != Id::valid || gidKind != Id::valid) return outOfRange(error);
      user.uid = entryUid;
      user.gid = entryGid;
      user.hasEntry = true;
      std::snprintf(user.name, sizeof user.name, "%.*s", static_cast<int>(name.length), name.text);
      if (home.length > 0 && home.fits)
        std::snprintf(user.home, sizeof user.home, "%.*s", static_cast<int>(home.length), home.text);
      return true;
    }
    if (reader.error() != 0) return failed(error, reader.error(), "cannot read /etc/passwd%.*s", "");
  }
  if (kind == Id::none)
    return failed(error, 0, "unable to find user %.*s: no matching entries in passwd file", text);
  user.uid = wantedId;
  return true;
}

bool findGroup(int group, std::string_view text, gid_t& gid, LookupError& error) {
  std::uint32_t wantedId = 0;
  const Id kind = parseId(text, wantedId);
  if (kind == Id::range) return outOfRange(error);
  bool found = false, bad = false;
  const bool read = eachGroup(group, error, [&](const auto& name, const auto& number, Reader&, char&) {
    std::uint32_t entry = 0;
    const bool valid = number.fits && parseId(number.view(), entry) == Id::valid;
    const bool byName = name.length > 0 && name.is(text);
    if (!byName && !(valid && kind == Id::valid && entry == wantedId)) return true;
    found = valid;
    bad = !valid;
    gid = entry;
    return false;
  });
  if (!read) return false;
  if (bad) return outOfRange(error);
  if (found) return true;
  if (kind == Id::none)
    return failed(error, 0, "unable to find group %.*s: no matching entries in group file", text);
  gid = wantedId;
  return true;
}

bool findMemberships(int group, std::string_view user, Groups& groups, LookupError& error) {
  bool tooMany = false;
  const bool read = eachGroup(group, error, [&](const auto&, const auto& number, Reader& reader, char& end) {
    std::uint32_t gid = 0;
    const bool valid = number.fits && parseId(number.view(), gid) == Id::valid;
    Slot<256> member;
    bool listed = false;
    while (end == ':' || end == ',') {
      end = reader.take(member, true);
      listed |= member.length > 0 && member.is(user);
    }
    if (!valid || !listed) return true;
    tooMany = groups.count >= kMaxGroups;
    if (!tooMany) groups.ids[groups.count++] = gid;
    return !tooMany;
  });
  if (tooMany) return failed(error, E2BIG, "too many groups of user %.*s", user);
  return read;
}

void normalize(Groups& groups) {
  std::sort(groups.ids, groups.ids + groups.count);
  groups.count = static_cast<std::size_t>(std::unique(groups.ids, groups.ids + groups.count) - groups.ids);
}

}  // namespace tsrun
