// What the linter looks at: everything but the generated tables.

import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["src/tables.js"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, globals: { ...globals.node, ...globals.browser } },
    rules: {
      "no-control-regex": "off", // control characters are what several of our patterns are about
      "no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "eqeqeq": "error", "no-var": "error", "prefer-const": ["error", { destructuring: "all" }],
    },
  },
];
