#pragma once

namespace tsrun::oci {

/// The OCI runtime's command line. Returns the exit code.
int main(int argc, char** argv);

}  // namespace tsrun::oci
