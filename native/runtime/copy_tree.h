#pragma once

namespace tsrun {

/// Where a tree copy failed.
struct CopyError {
  int error = 0;
  char path[1024] = "";  ///< below the tree, possibly cut off
};

/// Copies the content of directory `from` into the empty directory `to`: owner, mode, xattrs, times, links,
/// devices and FIFOs; sockets are skipped, hard links become files of their own, holes stay holes. Then
/// owner, mode, xattrs and times of the directory itself. Works on fds, never follows a link, allocates
/// nothing.
bool copyTree(int from, int to, CopyError& error);

/// Owner, mode, xattrs and times of one open directory.
bool copyDirectoryAttributes(int from, int to);

/// Removes everything in `directory`; never follows a link.
bool removeContent(int directory);

/// True if `directory` has no entries; false also on an error (errno is then not 0).
bool isEmptyDirectory(int directory);

}  // namespace tsrun
