#pragma once
/// The verbs `tsrun-runtime engine VERB` (src/native/protocol.ts lists them). Each gets its arguments without
/// the verb itself and returns the exit code.
namespace tsrun {

/// The program's own argv, from a verb's: main passes what lies behind `engine VERB`.
inline char** wholeArgv(char** verbArgv) {
  return verbArgv - 3;
}

int monitorVerb(int argc, char** argv);
int execVerb(int argc, char** argv);
int probeVerb(int argc, char** argv);
int updateVerb(int argc, char** argv);
int recoverVerb(int argc, char** argv);
int removeVerb(int argc, char** argv);
int applyVerb(int argc, char** argv);
int diffVerb(int argc, char** argv);
int listVerb(int argc, char** argv);
int packVerb(int argc, char** argv);
int compressVerb(int argc, char** argv);
int copyStatVerb(int argc, char** argv);
int copyOutVerb(int argc, char** argv);
int copyInVerb(int argc, char** argv);
}  // namespace tsrun
