#pragma once
#include "layer/attributes.h"
#include "layer/tar_reader.h"

namespace tsrun {

/// The type bits of a node that an entry describes; a hard link has none of its own.
mode_t typeOf(NodeKind kind);
Attributes attributesOf(const TarEntry& entry);

/// Writes the body of the reader's current entry to an empty open file; what a sparse entry leaves out
/// becomes holes.
void writeBody(TarReader& reader, const TarEntry& entry, int fd);

}  // namespace tsrun
