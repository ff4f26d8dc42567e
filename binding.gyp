{
  # Three targets: the N-API addon that Node loads, the helper executable that makes containers, and the init that
  # --init puts into them.
  "target_defaults": {
    "cflags": ["-Wall", "-Wextra", "-Wno-unused-result"],
    "cflags_cc": ["-std=c++20", "-O2", "-fexceptions", "-frtti"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20", "-O3"],
    "include_dirs": ["native"],
  },
  "targets": [
    {
      "target_name": "tsrun",
      "sources": ["<!@(find native/addon -name '*.cc' | sort)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "ldflags": ["-static-libstdc++", "-static-libgcc"],
    },
    {
      # Static: it runs inside containers' roots and on machines without our libraries; nothing is loaded at run time.
      "target_name": "tsrun-runtime",
      "type": "executable",
      "sources": ["<!@(find native/helper native/oci native/runtime native/layer -name '*.cc' | sort)"],
      "defines": ["_FILE_OFFSET_BITS=64"],
      "cflags!": ["-pthread", "-fPIC"],
      "ldflags": ["-static", "-no-pie"],
      "libraries": ["-lseccomp", "-lzstd", "-ldeflate"],
    },
    {
      # Alone in a stranger's root, once per container: static, and without anything of C++ that needs a library.
      "target_name": "tsrun-init",
      "type": "executable",
      "sources": ["native/init/main.cc"],
      "cflags!": ["-pthread", "-fPIC"],
      "cflags_cc": ["-Os", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc!": ["-O2", "-fexceptions", "-frtti"],
      "ldflags": ["-static", "-no-pie", "-s"],
    },
  ],
}
