#pragma once
#include <string>
#include <vector>

#include "base/failure.h"
#include "oci/options.h"

namespace tsrun::oci {

/// What every verb is given.
struct Context {
  std::string program;  ///< the name it was called by, for texts
  std::string root;     ///< directory of all containers' state
  bool systemdCgroup = false;
  bool noCgroup = false;  ///< the caller wants none to be made
  char** argv = nullptr;  ///< main's own
  Options options;        ///< of the verb
};

/// A verb of the command line. Returns the exit code; a Failure ends with `failureCode`.
struct Verb {
  const char* name;
  const char* usage;  ///< behind the verb
  const char* help;
  std::vector<Option> options;
  bool mixed;  ///< options may follow the container's id
  int (*run)(const Context&);
  int failureCode = 1;
};

int createVerb(const Context&);
int startVerb(const Context&);
int runVerb(const Context&);
int execVerb(const Context&);
int stateVerb(const Context&);
int killVerb(const Context&);
int deleteVerb(const Context&);
int listVerb(const Context&);
int psVerb(const Context&);
int pauseVerb(const Context&);
int resumeVerb(const Context&);
int updateVerb(const Context&);
int eventsVerb(const Context&);
int featuresVerb(const Context&);
int specVerb(const Context&);

/// The one argument of a verb that takes just a container. Throws Failure(step::kUsage).
std::string onlyId(const Context& context);

}  // namespace tsrun::oci
