#include "runtime/syscall_names.h"

#include <seccomp.h>

#include <string_view>

namespace tsrun {
namespace {

struct Number {
  std::string_view name;
  std::uint32_t value;
};

// Calls since Linux 5.17: one number for every architecture.
constexpr Number kRecent[] = {
    {"set_mempolicy_home_node", 450},
    {"cachestat", 451},
    {"fchmodat2", 452},
    {"map_shadow_stack", 453},
    {"futex_wake", 454},
    {"futex_wait", 455},
    {"futex_requeue", 456},
    {"statmount", 457},
    {"listmount", 458},
    {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461},
    {"mseal", 462},
    {"setxattrat", 463},
    {"getxattrat", 464},
    {"listxattrat", 465},
    {"removexattrat", 466},
    {"open_tree_attr", 467},
    {"file_getattr", 468},
    {"file_setattr", 469},
    {"listns", 470},
};

// x86_64 alone has these.
constexpr Number kX86_64[] = {{"uretprobe", 335}, {"uprobe", 336}};

// The direct calls that i386 got beside socketcall and ipc; libseccomp knows them only as multiplexed ones.
constexpr Number kX86[] = {
    {"recvmmsg", 337},    {"sendmmsg", 345},    {"socket", 359},  {"socketpair", 360}, {"bind", 361},
    {"connect", 362},     {"listen", 363},      {"accept4", 364}, {"getsockopt", 365}, {"setsockopt", 366},
    {"getsockname", 367}, {"getpeername", 368}, {"sendto", 369},  {"sendmsg", 370},    {"recvfrom", 371},
    {"recvmsg", 372},     {"shutdown", 373},    {"semget", 393},  {"semctl", 394},     {"shmget", 395},
    {"shmctl", 396},      {"shmat", 397},       {"shmdt", 398},   {"msgget", 399},     {"msgsnd", 400},
    {"msgrcv", 401},      {"msgctl", 402},
};

constexpr std::uint32_t kX32Bit = 0x40000000;

std::optional<std::uint32_t> lookUp(const auto& table, const std::string& name) {
  for (const Number& number : table)
    if (number.name == name) return number.value;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> syscallNumber(std::uint32_t arch, const std::string& name) {
  const int known = seccomp_syscall_resolve_name_arch(arch, name.c_str());
  if (known >= 0) return static_cast<std::uint32_t>(known);
  if (arch == SCMP_ARCH_X86) {
    if (const auto direct = lookUp(kX86, name)) return direct;
  }
  if (arch == SCMP_ARCH_X86_64) {
    if (const auto own = lookUp(kX86_64, name)) return own;
  }
  const auto recent = lookUp(kRecent, name);
  if (!recent || known < -1)
    return std::nullopt;  // below -1: known by name, but not a call of this architecture
  return arch == SCMP_ARCH_X32 ? *recent | kX32Bit : *recent;
}

}  // namespace tsrun
