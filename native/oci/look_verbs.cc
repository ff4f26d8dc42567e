/// The verbs that only look: state, list, ps.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/failure.h"
#include "oci/context.h"
#include "oci/state.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

int print(const std::string& text) {
  return writeAll(STDOUT_FILENO, text.data(), text.size()) ? 0 : 1;
}

using Rows = std::vector<std::vector<std::string>>;

/// Columns as wide as what is in them, three blanks between.
std::string tableOf(const Rows& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i >= widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 3, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string formatOf(const Options& options) {
  const std::string format = options.valueOr("format", "table");
  if (format != "table" && format != "json")
    throw Failure(step::kUsage, 0, "--format " + format, "neither table nor json");
  return format;
}

std::string ownerOf(const State& state) {
  return state.owner == 0 ? "root" : std::to_string(state.owner);
}

/// What the host's ps says, to its end. Throws Failure.
std::string outputOfPs(const std::vector<std::string>& options) {
  std::vector<std::string> words = {"ps"};
  words.insert(words.end(), options.begin(), options.end());
  if (options.empty()) words.push_back("-ef");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int output[2];
  check(pipe2(output, O_CLOEXEC), "ps", "pipe");
  const UniqueFd reader(output[0]);
  UniqueFd writer(output[1]);
  const pid_t pid = check(fork(), "ps", "fork");
  if (pid == 0) {
    dup2(output[1], STDOUT_FILENO);
    execvp("ps", argv.data());
    _exit(127);
  }
  writer.reset();
  std::string text;
  char data[16 << 10];
  for (ssize_t got; (got = read(reader.get(), data, sizeof data)) > 0 || (got < 0 && errno == EINTR);)
    if (got > 0) text.append(data, static_cast<std::size_t>(got));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Failure("ps", 0, "ps",
                  "exit code " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128));
  return text;
}

/// The lines of a table with a column PID that are of one of `pids`, behind the heading.
std::string onlyOf(const std::string& table, const std::vector<int>& pids) {
  std::istringstream lines(table);
  std::string line, result;
  std::getline(lines, line);
  result = line + "\n";
  std::istringstream heading(line);
  std::size_t column = 0;
  std::string word;
  while (heading >> word && word != "PID") ++column;
  if (word != "PID") throw Failure("ps", 0, "ps", "its output has no column PID");
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    for (std::size_t i = 0; i <= column; ++i) fields >> word;
    if (std::ranges::any_of(pids, [&](int pid) { return word == std::to_string(pid); }))
      result += line + "\n";
  }
  return result;
}

}  // namespace

int stateVerb(const Context& context) {
  const Container container = Container::open(context.root, onlyId(context));
  if (container.state().ociVersion.empty())
    throw Failure("container", 0, container.state().id, "container does not exist");
  return print(container.json(container.status(), 2) + "\n");
}

int listVerb(const Context& context) {
  const Options& options = context.options;
  const std::string format = formatOf(options);
  const std::vector<Container> all = Container::all(context.root);
  std::string text;
  if (options.flag("quiet")) {
    for (const Container& container : all) text += container.state().id + "\n";
  } else if (format == "json") {
    for (const Container& container : all)
      text += (text.empty() ? "[" : ",") + container.json(container.status(), -1);
    text += text.empty() ? "null" : "]";
    text += "\n";
  } else {
    Rows rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const Container& container : all) {
      const State& state = container.state();
      const Status status = container.status();
      rows.push_back({state.id, std::to_string(status == Status::stopped ? 0 : state.pid), nameOf(status),
                      state.bundle, state.created, ownerOf(state)});
    }
    text = tableOf(rows);
  }
  return print(text);
}

int psVerb(const Context& context) {
  const auto& rest = context.options.rest();
  if (rest.empty()) throw Failure(step::kUsage, 0, "", "the container's id is missing");
  const std::string format = formatOf(context.options);
  const Container container = Container::open(context.root, rest[0]);
  std::vector<int> pids;
  if (const auto cgroup = container.cgroup(); cgroup && cgroup->isThere())
    pids = cgroup->pids();
  else if (container.process())
    pids = {container.state().pid};
  if (format == "json") return print(Json(pids).dump() + "\n");
  return print(onlyOf(outputOfPs({rest.begin() + 1, rest.end()}), pids));
}

}  // namespace tsrun::oci
