#pragma once

/// Gets a verb and its arguments; returns the exit code.
using VerbRunner = int (*)(int argc, char** argv);

/// Runs verbs for clients (verb_client.c), each in a fork of this process: with sanitizers a start of the
/// program takes longer than a verb. Until fd 0 ends. One line on fd 1 for each: verb, wait status, 1 if it
/// took too long and was killed, its largest size in kB, seconds.
int serveVerbs(const char* socket, VerbRunner run);
