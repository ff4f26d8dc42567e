#pragma once
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string_view>

namespace tsrun {

/// How overlayfs says in an upper or lower directory what a tar says with `.wh.` names.
inline constexpr char kOpaqueAttribute[] = "trusted.overlay.opaque";
inline constexpr std::string_view kOverlayAttributes[] = {"trusted.overlay.", "user.overlay."};

inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr std::string_view kWhiteoutMeta = ".wh..wh.";
inline constexpr std::string_view kWhiteoutOpaque = ".wh..wh..opq";

inline bool isWhiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

inline bool isOverlayAttribute(std::string_view name) {
  for (const std::string_view prefix : kOverlayAttributes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

/// Needs CAP_SYS_ADMIN in force (AdminScope): without it the kernel hides trusted.* and this would say false.
bool isOpaque(int dir);

}  // namespace tsrun
