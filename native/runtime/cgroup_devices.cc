#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun::cgroupfs {
namespace {

std::string number(std::int64_t value) {
  return value < 0 ? "*" : std::to_string(value);
}

/// Only what the kernel knows: it refuses a rule with any other letter.
std::string accessOf(const Spec::DeviceRule& rule) {
  std::string access;
  for (const char letter : {'r', 'w', 'm'})
    if (rule.access.find(letter) != std::string::npos) access += letter;
  return access;
}

std::string ruleText(const Spec::DeviceRule& rule) {
  return std::string(1, rule.type) + " " + number(rule.major) + ":" + number(rule.minor) + " " +
         accessOf(rule);
}

std::uint32_t accessBits(const std::string& access) {
  std::uint32_t bits = 0;
  if (access.find('m') != std::string::npos) bits |= BPF_DEVCG_ACC_MKNOD;
  if (access.find('r') != std::string::npos) bits |= BPF_DEVCG_ACC_READ;
  if (access.find('w') != std::string::npos) bits |= BPF_DEVCG_ACC_WRITE;
  return bits;
}

// Registers of the program: the context comes in R1, the verdict leaves in R0.
constexpr std::uint8_t kVerdict = BPF_REG_0, kContext = BPF_REG_1, kType = BPF_REG_2, kWanted = BPF_REG_3,
                       kMajor = BPF_REG_4, kMinor = BPF_REG_5, kScratch = BPF_REG_6;

class DeviceProgram {
 public:
  DeviceProgram() {
    // access_type is (wanted access << 16) | device type
    load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
    emit(BPF_ALU | BPF_MOV | BPF_X, kWanted, kType, 0, 0);
    emit(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff);
    emit(BPF_ALU | BPF_RSH | BPF_K, kWanted, 0, 0, 16);
    load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
    load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
  }

  /// The last rule wins, for each of read, write and mknod by itself: so rules are asked newest first, an
  /// allowing one strikes its bits from what is still wanted, a denying one refuses if it names any of them.
  void rule(const Spec::DeviceRule& rule) {
    const std::uint32_t bits = accessBits(rule.access);
    std::vector<size_t> toNext;
    if (rule.type != 'a')
      toNext.push_back(
          jumpUnless(BPF_JEQ, kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    if (rule.major >= 0) toNext.push_back(jumpUnless(BPF_JEQ, kMajor, static_cast<std::int32_t>(rule.major)));
    if (rule.minor >= 0) toNext.push_back(jumpUnless(BPF_JEQ, kMinor, static_cast<std::int32_t>(rule.minor)));
    if (rule.allow) {
      emit(BPF_ALU | BPF_AND | BPF_K, kWanted, 0, 0, static_cast<std::int32_t>(~bits));
      toNext.push_back(jumpUnless(BPF_JEQ, kWanted, 0));
      verdict(1);
    } else {
      emit(BPF_ALU | BPF_MOV | BPF_X, kScratch, kWanted, 0, 0);
      emit(BPF_ALU | BPF_AND | BPF_K, kScratch, 0, 0, static_cast<std::int32_t>(bits));
      // `unless JNE` = jump when equal to 0
      toNext.push_back(jumpUnless(BPF_JNE, kScratch, 0));
      verdict(0);
    }
    for (size_t jump : toNext) code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1);
  }

  std::vector<bpf_insn> finish() {
    verdict(0);
    return std::move(code_);
  }

 private:
  void emit(std::uint8_t code, std::uint8_t to, std::uint8_t from, std::int16_t offset, std::int32_t value) {
    bpf_insn instruction{};
    instruction.code = code;
    instruction.dst_reg = to;
    instruction.src_reg = from;
    instruction.off = offset;
    instruction.imm = value;
    code_.push_back(instruction);
  }
  void load(std::uint8_t to, size_t offset) {
    emit(BPF_LDX | BPF_W | BPF_MEM, to, kContext, static_cast<std::int16_t>(offset), 0);
  }
  /// Jumps (to a place that the caller fills in) unless `reg op value` holds; op is BPF_JEQ or BPF_JNE.
  size_t jumpUnless(std::uint8_t op, std::uint8_t reg, std::int32_t value) {
    const std::uint8_t inverse = op == BPF_JEQ ? BPF_JNE : BPF_JEQ;
    emit(static_cast<std::uint8_t>(BPF_JMP | inverse | BPF_K), reg, 0, 0, value);
    return code_.size() - 1;
  }
  void verdict(std::int32_t value) {
    emit(BPF_ALU64 | BPF_MOV | BPF_K, kVerdict, 0, 0, value);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  std::vector<bpf_insn> code_;
};

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

}  // namespace

std::vector<Spec::DeviceRule> withStandardDevices(std::vector<Spec::DeviceRule> rules) {
  const auto allow = [&](char type, std::int64_t major, std::int64_t minor, const char* access) {
    rules.push_back({true, type, major, minor, access});
  };
  // Making a node is harmless: opening it is what is checked.
  allow('c', -1, -1, "m");
  allow('b', -1, -1, "m");
  for (const int minor : {3, 5, 7, 8, 9}) allow('c', 1, minor, "rwm");  // null zero full random urandom
  allow('c', 5, 0, "rwm");                                              // tty
  allow('c', 5, 2, "rwm");                                              // ptmx
  allow('c', 136, -1, "rwm");                                           // pts/*
  return rules;
}

void applyDevicesV1(const std::string& dir, const std::vector<Spec::DeviceRule>& rules) {
  write(step::kCgroupCreate, dir + "/devices.deny", "a");
  for (const Spec::DeviceRule& rule : rules) {
    // "a" alone switches the whole list; with numbers the kernel would ignore them and open everything.
    const bool everything = rule.type == 'a' && rule.major < 0 && rule.minor < 0;
    const std::string file = dir + (rule.allow ? "/devices.allow" : "/devices.deny");
    if (everything && accessBits(rule.access) == accessBits("rwm")) {
      write(step::kCgroupCreate, file, "a");
    } else if (rule.type == 'a') {
      for (const char type : {'b', 'c'}) {
        Spec::DeviceRule one = rule;
        one.type = type;
        write(step::kCgroupCreate, file, ruleText(one));
      }
    } else {
      write(step::kCgroupCreate, file, ruleText(rule));
    }
  }
}

void applyDevicesV2(const std::string& dir, const std::vector<Spec::DeviceRule>& rules) {
  DeviceProgram program;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) program.rule(*rule);
  const std::vector<bpf_insn> code = program.finish();

  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<std::uint64_t>(code.data());
  load.insn_cnt = static_cast<std::uint32_t>(code.size());
  load.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
  std::memcpy(load.prog_name, "tsrun_devices", sizeof "tsrun_devices");
  UniqueFd loaded(bpf(BPF_PROG_LOAD, load));
  if (!loaded) {
    const int error = errno;
    throw Failure(step::kCgroupCreate, error, dir,
                  "the kernel did not accept the device filter (BPF_PROG_LOAD)");
  }
  UniqueFd directory(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) fail(step::kCgroupCreate, dir);
  // The cgroup keeps the program until it is removed. MULTI: a container engine inside may add its own, which
  // can only narrow ours.
  bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(directory.get());
  attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attach) < 0) {
    const int error = errno;
    throw Failure(step::kCgroupCreate, error, dir,
                  "the device filter could not be attached (BPF_PROG_ATTACH)");
  }
}

}  // namespace tsrun::cgroupfs
