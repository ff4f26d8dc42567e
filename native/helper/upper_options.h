#pragma once
#include <string>

#include "layer/pack.h"

namespace tsrun {

/// Takes --upper, --lower and --stubs; false for any other name.
bool takeUpperOption(UpperRequest& request, const std::string& name, const std::string& value);

}  // namespace tsrun
