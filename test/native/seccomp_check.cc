// Compiles the profile on fd 0, runs the program over numbers and arguments, and compares each answer with
// what the rules say when they are read one by one. Lines of the profile:
//   default ACTION | arch NAME | rule ACTION ERRNO NAME[,NAME…] [INDEX:OP:VALUE:VALUETWO]…
// Prints "PROGRAM_LENGTH CASES DIFFERENCES", and the first differences on fd 2.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>

#include "base/failure.h"
#include "runtime/seccomp_compile.h"
#include "runtime/syscall_names.h"

namespace {

using namespace tsrun;

constexpr std::uint64_t kValues[] = {0,           1,           8,           9,           37,
                                     38,          39,          40,          41,          0x20000,
                                     0x10000000,  0x7e020000,  0x80000000,  0xfffffffe,  0xffffffff,
                                     0x100000000, 0x100000008, 0x100000026, 0x1ffffffff, ~0ull};

Spec::Seccomp readProfile() {
  Spec::Seccomp profile;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string kind, word;
    in >> kind;
    if (kind == "default") in >> profile.defaultAction;
    if (kind == "arch") in >> word, profile.architectures.push_back(word);
    if (kind != "rule") continue;
    Spec::SeccompRule rule;
    unsigned error = 0;
    in >> rule.action >> error >> word;
    rule.errnoRet = error;
    std::istringstream names(word);
    for (std::string name; std::getline(names, name, ',');) rule.names.push_back(name);
    while (in >> word) {
      std::istringstream fields(word);
      std::string index, value, valueTwo;
      Spec::SeccompArg arg;
      std::getline(fields, index, ':');
      std::getline(fields, arg.op, ':');
      std::getline(fields, value, ':');
      std::getline(fields, valueTwo, ':');
      arg.index = static_cast<unsigned>(std::stoul(index));
      arg.value = std::stoull(value);
      arg.valueTwo = std::stoull(valueTwo);
      rule.args.push_back(arg);
    }
    profile.syscalls.push_back(rule);
  }
  return profile;
}

std::uint32_t interpret(const std::vector<sock_filter>& program, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t pc = 0;; pc++) {
    const sock_filter& i = program.at(pc);
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += a == i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        pc += a > i.k ? i.jt : i.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        pc += a >= i.k ? i.jt : i.jf;
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        throw std::runtime_error("an instruction that seccomp does not take");
    }
  }
}

bool matches(const Spec::SeccompArg& arg, std::uint64_t value, bool narrow) {
  const std::uint64_t mask = narrow ? 0xffffffff : ~0ull;
  value &= mask;
  const std::uint64_t wanted = arg.value & mask;
  if (arg.op == "SCMP_CMP_EQ") return value == wanted;
  if (arg.op == "SCMP_CMP_NE") return value != wanted;
  if (arg.op == "SCMP_CMP_LT") return value < wanted;
  if (arg.op == "SCMP_CMP_LE") return value <= wanted;
  if (arg.op == "SCMP_CMP_GT") return value > wanted;
  if (arg.op == "SCMP_CMP_GE") return value >= wanted;
  return (value & wanted) == (arg.valueTwo & mask);
}

std::uint32_t answer(const std::string& action, unsigned error) {
  if (action == "SCMP_ACT_ALLOW") return SECCOMP_RET_ALLOW;
  if (action == "SCMP_ACT_LOG") return SECCOMP_RET_LOG;
  return SECCOMP_RET_ERRNO | error;
}

struct Machine {
  std::uint32_t token, audit, base;
  bool narrow;
};
constexpr Machine kMachines[] = {{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0, false},
                                 {SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, true},
                                 {SCMP_ARCH_X32, AUDIT_ARCH_X86_64, 0x40000000, false},
                                 {SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0, false}};

/// The rules of one architecture by number, in the order of the profile.
struct Reference {
  Reference(const Spec::Seccomp& profile, const Machine& machine) : highest(machine.base) {
    for (const Spec::SeccompRule& rule : profile.syscalls) {
      for (const std::string& name : rule.names) {
        const auto number = syscallNumber(machine.token, name);
        if (!number) continue;
        highest = std::max(highest, *number);
        const bool isInt = name == "socket" || name == "socketpair" || name == "personality";
        rules.emplace(*number, std::pair{&rule, machine.narrow || isInt});
      }
    }
  }

  std::multimap<std::uint32_t, std::pair<const Spec::SeccompRule*, bool>> rules;
  std::uint32_t highest;
};

std::uint32_t expected(const Spec::Seccomp& profile, const Reference& reference, const seccomp_data& data) {
  const std::uint32_t number = static_cast<std::uint32_t>(data.nr);
  if (number > reference.highest && profile.defaultAction == "SCMP_ACT_ERRNO")
    return SECCOMP_RET_ERRNO | ENOSYS;
  for (auto [at, end] = reference.rules.equal_range(number); at != end; ++at) {
    const auto& [rule, narrow] = at->second;
    bool all = true;
    for (const Spec::SeccompArg& arg : rule->args) all &= matches(arg, data.args[arg.index], narrow);
    if (all) return answer(rule->action, *rule->errnoRet);
  }
  return answer(profile.defaultAction, EPERM);
}

bool listed(const Spec::Seccomp& profile, const Machine& machine) {
  if (machine.token == seccomp_arch_native()) return true;
  for (const std::string& name : profile.architectures) {
    if (name == "SCMP_ARCH_X86" && machine.token == SCMP_ARCH_X86) return true;
    if (name == "SCMP_ARCH_X32" && machine.token == SCMP_ARCH_X32) return true;
  }
  return false;
}

}  // namespace

int main() {
  try {
    const Spec::Seccomp profile = readProfile();
    const std::vector<sock_filter> program = compileSeccomp(profile);
    long cases = 0, differences = 0;
    for (const Machine& machine : kMachines) {
      const Reference reference(profile, machine);
      for (std::uint32_t number = 0; number < 620; number++) {
        for (std::uint64_t first : kValues) {
          for (std::uint64_t second : {0ull, 9ull, 0x100000009ull}) {
            seccomp_data data{};
            data.nr = static_cast<int>(machine.base + number);
            data.arch = machine.audit;
            data.args[0] = machine.narrow ? first & 0xffffffff : first;
            data.args[1] = machine.narrow ? second & 0xffffffff : second;
            const std::uint32_t got = interpret(program, data);
            const std::uint32_t want = listed(profile, machine) ? expected(profile, reference, data)
                                                                : std::uint32_t{SECCOMP_RET_KILL_PROCESS};
            cases++;
            if (got != want && differences++ < 10)
              std::cerr << std::hex << machine.audit << " " << data.nr << " (" << first << ", " << second
                        << "): " << got << " and not " << want << "\n";
          }
        }
      }
    }
    std::cout << program.size() << " " << cases << " " << differences << "\n";
    return 0;
  } catch (const Failure& failure) {
    std::cerr << failure.step << " " << failure.subject << " " << failure.detail << "\n";
    return 1;
  }
}
