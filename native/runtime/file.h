#pragma once
#include <string>

namespace tsrun {

/// The whole of a small regular file. Throws Failure(`step`) with the path; EFBIG past 64 MiB.
std::string readFile(const std::string& path, const char* step);

/// Replaces `directory`/`name`: temp name, write, (fsync), rename, (fsync of the directory). Mode 0600. On a
/// full disk the old file stays. Throws Failure(`step`).
void replaceFile(const std::string& directory, const std::string& name, const std::string& content,
                 bool durable, const char* step);

/// unlink(2) that accepts "already gone". Throws Failure(`step`).
void removeFile(const std::string& path, const char* step);

/// Writes everything, retrying after a signal or a short write. False with errno.
bool writeAll(int fd, const char* data, std::size_t length);

}  // namespace tsrun
