#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tsrun {

/// Lists whole layers (directories in overlayfs form) on fd 1, in the order given, each as the records below
/// and one empty record at its end. Records end with a NUL:
///
///     KIND DEPTH MODE UID GID SIZE MTIME LINK XATTRS NAME
///
/// KIND: d directory, o opaque directory, f file, l symlink, c, b, p, s, w whiteout. DEPTH counts from 0; a
/// directory comes before what is in it, names sorted by bytes. MODE without the type, decimal as all
/// numbers; SIZE only of files; MTIME is seconds.nanoseconds. LINK numbers the files of the layer that have
/// several names in it, from 1; 0: just one. XATTRS is a hash of the extended attributes, in hex, 0: none.
/// After a symlink comes its target, with a NUL.
///
/// Returns how many names were listed. Throws Failure.
std::uint64_t listLayers(const std::vector<std::string>& layers);

}  // namespace tsrun
