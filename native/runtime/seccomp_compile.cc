#include "runtime/seccomp_compile.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "base/failure.h"
#include "runtime/steps.h"
#include "runtime/syscall_names.h"

namespace tsrun {
namespace {

static_assert(std::endian::native == std::endian::little, "the halves of an argument are read in this order");

using Code = std::vector<sock_filter>;
constexpr std::uint32_t kX32Start = 0x40000000;

struct Arch {
  std::string_view name;
  std::uint32_t token;  ///< of libseccomp; equal to the kernel's AUDIT_ARCH but for x32
  bool narrow;          ///< 32-bit registers
};
constexpr Arch kArchs[] = {
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, false},   {"SCMP_ARCH_X86", SCMP_ARCH_X86, true},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32, false},         {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64, false},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM, true},          {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64, false},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE, false},
};

// Architectures of the spec that no process of a machine of ours can have: a profile may name them, and
// nothing comes of it.
constexpr std::string_view kForeign[] = {
    "SCMP_ARCH_MIPS",        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",    "SCMP_ARCH_PPC",    "SCMP_ARCH_PPC64",     "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",  "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",   "SCMP_ARCH_SH",        "SCMP_ARCH_SHEB"};

// Calls whose arguments the kernel cuts to 32 bits: compared whole, 2^32 + 38 would pass for a family that is
// not 38.
constexpr std::string_view kIntArguments[] = {"socket", "socketpair", "personality"};

struct Rule {
  const std::vector<Spec::SeccompArg>* args;
  std::uint32_t action;
  bool narrow;
};
/// What happens to one number: the rules in order, then the action.
struct Outcome {
  std::vector<Rule> rules;
  std::uint32_t action = 0;
  bool settled = false;  ///< a rule without arguments decided; later ones cannot be reached
};
struct Range {
  std::uint32_t start;
  const Outcome* outcome;
};

std::uint32_t actionOf(const std::string& name, std::optional<unsigned> value) {
  const std::uint32_t data = value.value_or(EPERM) & SECCOMP_RET_DATA;
  if (name == "SCMP_ACT_ALLOW") return SECCOMP_RET_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SECCOMP_RET_ERRNO | data;
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SECCOMP_RET_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SECCOMP_RET_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SECCOMP_RET_TRAP;
  if (name == "SCMP_ACT_TRACE") return SECCOMP_RET_TRACE | data;
  if (name == "SCMP_ACT_LOG") return SECCOMP_RET_LOG;
  if (name == "SCMP_ACT_NOTIFY") return SECCOMP_RET_USER_NOTIF;
  throw Failure(step::kSeccomp, EINVAL, name, "unsupported action");
}

/// Whether a number that the profile cannot know should answer ENOSYS.
bool refuses(std::uint32_t action) {
  return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != (SECCOMP_RET_ERRNO | ENOSYS) &&
         action != SECCOMP_RET_USER_NOTIF && (action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE;
}

// ---- arguments
// ----------------------------------------------------------------------------------------------------

/// One comparison as instructions whose jumps still say where they lead.
enum Exit : std::uint8_t { kNext = 0, kMatch = 254, kMiss = 255 };

void compare(Code& out, std::uint16_t test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  out.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, yes, no));
}

void load(Code& out, std::size_t offset) {
  out.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
}

Code compileCondition(const Spec::SeccompArg& arg, bool narrow) {
  if (arg.index > 5)
    throw Failure(step::kSeccomp, EINVAL, std::to_string(arg.index), "argument index above 5");
  const std::size_t low = offsetof(seccomp_data, args) + 8 * arg.index;
  const bool masked = arg.op == "SCMP_CMP_MASKED_EQ";
  const std::uint64_t wanted = masked ? arg.valueTwo : arg.value;
  const auto wantedLow = static_cast<std::uint32_t>(wanted),
             wantedHigh = static_cast<std::uint32_t>(wanted >> 32);
  const auto half = [&](Code& out, bool high) {
    load(out, low + (high ? 4 : 0));
    if (masked)
      out.push_back(
          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, static_cast<std::uint32_t>(arg.value >> (high ? 32 : 0))));
  };
  const bool above = arg.op == "SCMP_CMP_GT" || arg.op == "SCMP_CMP_GE";
  const bool below = arg.op == "SCMP_CMP_LT" || arg.op == "SCMP_CMP_LE";
  Code out;
  if (masked || arg.op == "SCMP_CMP_EQ") {
    if (!narrow) half(out, true), compare(out, BPF_JEQ, wantedHigh, kNext, kMiss);
    half(out, false), compare(out, BPF_JEQ, wantedLow, kMatch, kMiss);
  } else if (arg.op == "SCMP_CMP_NE") {
    if (!narrow) half(out, true), compare(out, BPF_JEQ, wantedHigh, kNext, kMatch);
    half(out, false), compare(out, BPF_JEQ, wantedLow, kMiss, kMatch);
  } else if (above || below) {
    const std::uint8_t larger = above ? kMatch : kMiss, smaller = above ? kMiss : kMatch;
    if (!narrow) {
      half(out, true);
      compare(out, BPF_JGT, wantedHigh, larger, kNext);
      compare(out, BPF_JEQ, wantedHigh, kNext, smaller);
    }
    const bool orEqual = arg.op == "SCMP_CMP_GE" || arg.op == "SCMP_CMP_LT";  // LT is what GE is not
    half(out, false);
    compare(out, orEqual ? BPF_JGE : BPF_JGT, wantedLow, larger, smaller);
  } else {
    throw Failure(step::kSeccomp, EINVAL, arg.op, "unsupported comparison");
  }
  return out;
}

/// Turns the exits of `condition` into offsets: a match goes on behind it, a miss goes `behind` instructions
/// further.
void resolve(Code& condition, std::size_t behind) {
  for (std::size_t i = 0; i < condition.size(); i++) {
    if (BPF_CLASS(condition[i].code) != BPF_JMP) continue;
    const auto rest = static_cast<std::uint8_t>(condition.size() - i - 1);
    for (std::uint8_t* exit : {&condition[i].jt, &condition[i].jf})
      *exit = *exit == kMatch ? rest : *exit == kMiss ? static_cast<std::uint8_t>(rest + behind) : *exit;
  }
}

Code compileRule(const Rule& rule) {
  Code code = {BPF_STMT(BPF_RET | BPF_K, rule.action)};
  // Back to front: what follows a condition is known when its jumps are resolved. 6 x 5 instructions at most.
  for (auto arg = rule.args->rbegin(); arg != rule.args->rend(); ++arg) {
    Code condition = compileCondition(*arg, rule.narrow);
    resolve(condition, code.size());
    condition.insert(condition.end(), code.begin(), code.end());
    code = std::move(condition);
  }
  return code;
}

// ---- numbers
// ------------------------------------------------------------------------------------------------------

Code compileOutcome(const Outcome& outcome) {
  Code code;
  for (const Rule& rule : outcome.rules) {
    const Code part = compileRule(rule);
    code.insert(code.end(), part.begin(), part.end());
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, outcome.action));
  return code;
}

Code compileTree(const Range* begin, const Range* end) {
  if (end - begin == 1) return compileOutcome(*begin->outcome);
  const Range* middle = begin + (end - begin) / 2;
  const Code left = compileTree(begin, middle), right = compileTree(middle, end);
  Code code;
  if (left.size() <= 255) {
    compare(code, BPF_JGE, middle->start, static_cast<std::uint8_t>(left.size()), 0);
  } else {  // a conditional jump reaches 255 instructions only
    compare(code, BPF_JGE, middle->start, 0, 1);
    code.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(left.size())));
  }
  code.insert(code.end(), left.begin(), left.end());
  code.insert(code.end(), right.begin(), right.end());
  return code;
}

bool isSame(const Outcome& a, const Outcome& b) {
  return a.rules.empty() && b.rules.empty() && a.action == b.action;
}

class Compiler {
 public:
  explicit Compiler(const Spec::Seccomp& profile) : profile_(profile) {
    default_.action = actionOf(profile.defaultAction, profile.defaultErrnoRet);
    absent_.action = refuses(default_.action) ? SECCOMP_RET_ERRNO | ENOSYS : default_.action;
    killed_.action = SECCOMP_RET_KILL_PROCESS;
  }

  /// The ranges of one architecture, ascending from `start`.
  void addRanges(const Arch& arch, std::uint32_t start, std::vector<Range>& ranges) {
    auto& outcomes = outcomes_.emplace_back();
    std::uint32_t highest = start;
    for (const Spec::SeccompRule& rule : profile_.syscalls) {
      const std::uint32_t action = actionOf(rule.action, rule.errnoRet);
      for (const std::string& name : rule.names) {
        const auto number = syscallNumber(arch.token, name);
        if (!number || *number < start) continue;
        highest = std::max(highest, *number);
        Outcome& outcome = outcomes.try_emplace(*number, default_).first->second;
        if (outcome.settled) continue;
        if (rule.args.empty()) {
          outcome.action = action;
          outcome.settled = true;
        } else {
          const bool isInt = std::ranges::find(kIntArguments, name) != std::end(kIntArguments);
          outcome.rules.push_back({&rule.args, action, arch.narrow || isInt});
        }
      }
    }
    append(ranges, start, default_);
    for (const auto& [number, outcome] : outcomes) {
      append(ranges, number, outcome);
      append(ranges, number + 1, default_);
    }
    append(ranges, highest + 1, absent_);
  }

  void append(std::vector<Range>& ranges, std::uint32_t start, const Outcome& outcome) {
    if (!ranges.empty() && ranges.back().start == start) ranges.pop_back();
    if (!ranges.empty() && isSame(*ranges.back().outcome, outcome)) return;
    ranges.push_back({start, &outcome});
  }

  const Outcome& killed() const { return killed_; }

 private:
  const Spec::Seccomp& profile_;
  Outcome default_, absent_, killed_;
  std::vector<std::map<std::uint32_t, Outcome>> outcomes_{};
};

std::vector<const Arch*> archsOf(const Spec::Seccomp& profile) {
  std::vector<const Arch*> result;
  const std::uint32_t native = seccomp_arch_native();
  for (const Arch& arch : kArchs)
    if (arch.token == native) result.push_back(&arch);
  for (const std::string& name : profile.architectures) {
    const auto* arch = std::ranges::find(kArchs, name, &Arch::name);
    if (std::ranges::find(kForeign, name) != std::end(kForeign)) continue;
    if (arch == std::end(kArchs)) throw Failure(step::kSeccomp, EINVAL, name, "unsupported architecture");
    if (std::ranges::find(result, arch) == result.end()) result.push_back(arch);
  }
  return result;
}

}  // namespace

std::vector<sock_filter> compileSeccomp(const Spec::Seccomp& profile) {
  Compiler compiler(profile);
  const std::vector<const Arch*> archs = archsOf(profile);
  const auto* x32 = std::ranges::find(kArchs, std::uint32_t{SCMP_ARCH_X32}, &Arch::token);
  const bool hasX32 = std::ranges::find(archs, x32) != archs.end();
  Code code;
  load(code, offsetof(seccomp_data, arch));
  for (const Arch* arch : archs) {
    if (arch == x32) continue;  // the kernel shows it as x86_64 with a bit in the number
    std::vector<Range> ranges;
    compiler.addRanges(*arch, 0, ranges);
    if (arch->token == SCMP_ARCH_X86_64) {
      if (hasX32)
        compiler.addRanges(*x32, kX32Start, ranges);
      else
        compiler.append(ranges, kX32Start, compiler.killed());
    }
    Code section;
    load(section, offsetof(seccomp_data, nr));
    const Code tree = compileTree(ranges.data(), ranges.data() + ranges.size());
    section.insert(section.end(), tree.begin(), tree.end());
    compare(code, BPF_JEQ, arch->token, 1, 0);
    code.push_back(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(section.size())));
    code.insert(code.end(), section.begin(), section.end());
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  if (code.size() > BPF_MAXINSNS)
    throw Failure(step::kSeccomp, E2BIG, "seccomp",
                  "the profile needs " + std::to_string(code.size()) + " instructions");
  return code;
}

}  // namespace tsrun
