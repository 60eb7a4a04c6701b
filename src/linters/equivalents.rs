//! Which rules of different tools say the same.
//!
//! What ruff took over from another tool follows from the rules' own names: flake8 and its plug-ins keep their codes,
//! bandit's `B101` is `S101`, pylint's `W0127` is `PLW0127`. Which rules of pylint there are in ruff stands in
//! `pylint-in-ruff.txt`, which `tests/it/duplicates.rs` derives from what both tools print of themselves. The rest is
//! [`CLASSES`], made by running all tools on the same faults and reading which of them name the same place; that every
//! rule in it exists is asked of the tools by the same test. A rule that means many things (`misc` of mypy,
//! `reportGeneralTypeIssues`) is in no class.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::diagnostic::{Finding, Severity};

/// Each class: tools with their rules. The name of the first rule is the name of the class. `pyright` stands for
/// basedpyright too, and `ruff` for flake8.
pub const CLASSES: &[&[(&str, &[&str])]] = &[
    // Names.
    &[
        ("ruff", &["F401"]),
        ("pylint", &["unused-import"]),
        ("pyright", &["reportUnusedImport"]),
        ("vulture", &["unused-import"]),
    ],
    &[
        ("ruff", &["F841"]),
        ("pylint", &["unused-variable"]),
        ("pyright", &["reportUnusedVariable"]),
        ("vulture", &["unused-variable"]),
    ],
    &[
        ("ruff", &["F821", "F823"]),
        (
            "pylint",
            &[
                "undefined-variable",
                "used-before-assignment",
                "possibly-used-before-assignment",
            ],
        ),
        (
            "mypy",
            &["name-defined", "used-before-def", "possibly-undefined"],
        ),
        (
            "pyright",
            &[
                "reportUndefinedVariable",
                "reportUnboundVariable",
                "reportPossiblyUnboundVariable",
            ],
        ),
        (
            "ty",
            &["unresolved-reference", "possibly-unresolved-reference"],
        ),
        ("pyrefly", &["unknown-name", "unbound-name"]),
    ],
    &[
        ("ruff", &["F811"]),
        ("pylint", &["function-redefined", "reimported"]),
        ("mypy", &["no-redef"]),
        ("pyrefly", &["redefinition"]),
    ],
    &[
        ("ruff", &["F822"]),
        ("pylint", &["undefined-all-variable"]),
        ("pyright", &["reportUnsupportedDunderAll"]),
        ("pyrefly", &["bad-dunder-all"]),
    ],
    &[
        ("ruff", &["F403"]),
        ("pylint", &["wildcard-import"]),
        ("pyright", &["reportWildcardImportFromLibrary"]),
    ],
    &[
        ("vulture", &["unused-function"]),
        ("pyright", &["reportUnusedFunction"]),
    ],
    &[
        ("vulture", &["unused-class"]),
        ("pyright", &["reportUnusedClass"]),
    ],
    &[
        ("ruff", &["ARG001", "ARG002", "ARG003", "ARG004", "ARG005"]),
        ("pylint", &["unused-argument"]),
    ],
    &[
        ("ruff", &["A001", "A002"]),
        ("pylint", &["redefined-builtin"]),
    ],
    &[
        ("ruff", &["N801", "N802", "N803", "N806", "N815", "N816"]),
        ("pylint", &["invalid-name"]),
    ],
    &[
        ("ruff", &["N805"]),
        ("pylint", &["no-self-argument"]),
        ("pyright", &["reportSelfClsParameterName"]),
    ],
    &[
        ("ruff", &["N804"]),
        ("pylint", &["bad-classmethod-argument"]),
    ],
    // Syntax and layout.
    &[
        ("ruff", &["invalid-syntax", "E999"]),
        ("ruff-format", &["invalid-syntax"]),
        ("pylint", &["syntax-error"]),
        ("mypy", &["syntax"]),
        ("pyright", &[NO_RULE]),
        ("bandit", &[NO_RULE]),
        ("pyrefly", &["parse-error", "invalid-syntax"]),
        ("ty", &["invalid-syntax"]),
    ],
    &[
        ("ruff-format", &["unformatted"]),
        ("black", &["unformatted"]),
    ],
    &[("ruff", &["I001"]), ("isort", &["unsorted-imports"])],
    &[("ruff", &["E501"]), ("pylint", &["line-too-long"])],
    &[
        ("ruff", &["W291", "W293"]),
        ("pylint", &["trailing-whitespace"]),
    ],
    &[("ruff", &["W292"]), ("pylint", &["missing-final-newline"])],
    &[("ruff", &["W391"]), ("pylint", &["trailing-newlines"])],
    &[
        ("ruff", &["W605"]),
        ("pylint", &["anomalous-backslash-in-string"]),
    ],
    &[("ruff", &["E401"]), ("pylint", &["multiple-imports"])],
    &[("ruff", &["E402"]), ("pylint", &["wrong-import-position"])],
    &[
        ("ruff", &["E701", "E702"]),
        ("pylint", &["multiple-statements"]),
    ],
    &[("ruff", &["E703"]), ("pylint", &["unnecessary-semicolon"])],
    &[("ruff", &["UP034"]), ("pylint", &["superfluous-parens"])],
    &[("ruff", &["ISC001"]), ("pylint", &["implicit-str-concat"])],
    &[
        ("ruff", &["FIX001", "FIX002", "FIX003", "FIX004"]),
        ("pylint", &["fixme"]),
    ],
    &[("codespell", &["misspelling"]), ("typos", &["typo"])],
    // Statements and expressions.
    &[
        ("ruff", &["E711", "E712"]),
        ("pylint", &["singleton-comparison"]),
    ],
    &[
        ("ruff", &["E713", "E714"]),
        ("pylint", &["unnecessary-negation"]),
    ],
    &[("ruff", &["E721"]), ("pylint", &["unidiomatic-typecheck"])],
    &[("ruff", &["E722"]), ("pylint", &["bare-except"])],
    &[
        ("ruff", &["E731"]),
        ("pylint", &["unnecessary-lambda-assignment"]),
    ],
    &[("ruff", &["F404"]), ("pylint", &["misplaced-future"])],
    &[
        ("ruff", &["F504"]),
        ("pylint", &["unused-format-string-key"]),
    ],
    &[
        ("ruff", &["F505"]),
        ("pylint", &["missing-format-string-key"]),
    ],
    &[
        ("ruff", &["F507", "F523", "F524"]),
        ("pylint", &["too-few-format-args", "too-many-format-args"]),
    ],
    &[
        ("ruff", &["F522"]),
        ("pylint", &["unused-format-string-argument"]),
    ],
    &[
        ("ruff", &["F541"]),
        ("pylint", &["f-string-without-interpolation"]),
    ],
    &[("ruff", &["F601"]), ("pylint", &["duplicate-key"])],
    &[
        ("ruff", &["F631"]),
        ("pylint", &["assert-on-tuple"]),
        ("pyright", &["reportAssertAlwaysTrue"]),
    ],
    &[("ruff", &["F632"]), ("pylint", &["literal-comparison"])],
    &[("ruff", &["F701", "F702"]), ("pylint", &["not-in-loop"])],
    &[("ruff", &["F704"]), ("pylint", &["yield-outside-function"])],
    &[
        ("ruff", &["F706"]),
        ("pylint", &["return-outside-function"]),
    ],
    &[("ruff", &["F901"]), ("pylint", &["notimplemented-raised"])],
    &[
        ("ruff", &["B006"]),
        ("pylint", &["dangerous-default-value"]),
    ],
    &[
        ("ruff", &["B015", "B018"]),
        (
            "pylint",
            &["pointless-statement", "expression-not-assigned"],
        ),
        ("pyright", &["reportUnusedExpression"]),
    ],
    &[("ruff", &["B033"]), ("pylint", &["duplicate-value"])],
    &[("ruff", &["B904"]), ("pylint", &["raise-missing-from"])],
    &[
        ("ruff", &["BLE001"]),
        ("pylint", &["broad-exception-caught"]),
    ],
    &[
        ("ruff", &["TRY002"]),
        ("pylint", &["broad-exception-raised"]),
    ],
    &[
        ("ruff", &["C408"]),
        ("pylint", &["use-dict-literal", "use-list-literal"]),
    ],
    &[
        ("ruff", &["C416"]),
        ("pylint", &["unnecessary-comprehension"]),
    ],
    &[("ruff", &["C901"]), ("pylint", &["too-complex"])],
    &[("ruff", &["RET505"]), ("pylint", &["no-else-return"])],
    &[("ruff", &["RET506"]), ("pylint", &["no-else-raise"])],
    &[("ruff", &["RET507"]), ("pylint", &["no-else-continue"])],
    &[("ruff", &["RET508"]), ("pylint", &["no-else-break"])],
    &[
        ("ruff", &["SIM103"]),
        ("pylint", &["simplifiable-if-statement"]),
    ],
    &[("ruff", &["SIM115"]), ("pylint", &["consider-using-with"])],
    &[
        ("ruff", &["SIM118"]),
        ("pylint", &["consider-iterating-dictionary"]),
    ],
    &[
        ("ruff", &["SIM210", "SIM211"]),
        ("pylint", &["simplifiable-if-expression"]),
    ],
    &[
        ("ruff", &["UP004"]),
        ("pylint", &["useless-object-inheritance"]),
    ],
    &[("ruff", &["UP008"]), ("pylint", &["super-with-arguments"])],
    &[
        ("ruff", &["UP031", "UP032"]),
        ("pylint", &["consider-using-f-string"]),
    ],
    &[
        ("ruff", &["D100"]),
        ("pylint", &["missing-module-docstring"]),
    ],
    &[
        ("ruff", &["D101", "D106"]),
        ("pylint", &["missing-class-docstring"]),
    ],
    &[
        ("ruff", &["D102", "D103", "D105", "D107"]),
        ("pylint", &["missing-function-docstring"]),
    ],
    &[("ruff", &["D419"]), ("pylint", &["empty-docstring"])],
    &[
        ("ruff", &["S102"]),
        ("bandit", &["B102"]),
        ("pylint", &["exec-used"]),
    ],
    &[
        ("ruff", &["S307"]),
        ("bandit", &["B307"]),
        ("pylint", &["eval-used"]),
    ],
    &[("ruff", &["S308"]), ("bandit", &["B308", "B703"])],
    &[
        ("pylint", &["unreachable"]),
        ("ruff", &["PLW0101"]),
        ("mypy", &["unreachable"]),
        ("pyright", &["reportUnreachable"]),
        ("vulture", &["unreachable-code"]),
        ("pyrefly", &["unreachable"]),
    ],
    // Types.
    &[
        ("mypy", &["attr-defined", "union-attr"]),
        (
            "pyright",
            &[
                "reportAttributeAccessIssue",
                "reportFunctionMemberAccess",
                "reportOptionalMemberAccess",
            ],
        ),
        (
            "ty",
            &[
                "missing-attribute",
                "missing-module-member",
                "missing-union-attribute",
                "possibly-missing-attribute",
            ],
        ),
        (
            "pyrefly",
            &["missing-attribute", "missing-module-attribute"],
        ),
        ("pylint", &["no-member", "no-name-in-module"]),
    ],
    &[
        ("mypy", &["arg-type", "list-item", "dict-item"]),
        ("pyright", &["reportArgumentType"]),
        ("ty", &["invalid-argument-type"]),
        ("pyrefly", &["bad-argument-type"]),
    ],
    &[
        ("mypy", &["return-value", "return", "empty-body"]),
        ("pyright", &["reportReturnType"]),
        (
            "ty",
            &["invalid-explicit-return", "invalid-implicit-return"],
        ),
        ("pyrefly", &["bad-return"]),
    ],
    &[
        ("mypy", &["assignment"]),
        ("pyright", &["reportAssignmentType"]),
        ("ty", &["invalid-assignment"]),
        ("pyrefly", &["bad-assignment"]),
    ],
    &[
        ("mypy", &["call-arg", "call-overload"]),
        ("pyright", &["reportCallIssue"]),
        (
            "ty",
            &[
                "missing-argument",
                "unknown-argument",
                "too-many-positional-arguments",
                "parameter-already-assigned",
                "positional-only-parameter-as-kwarg",
                "no-matching-overload",
                "not-callable",
            ],
        ),
        (
            "pyrefly",
            &[
                "missing-argument",
                "unexpected-keyword",
                "unexpected-positional-argument",
                "bad-argument-count",
                "no-matching-overload",
                "not-callable",
            ],
        ),
        (
            "pylint",
            &[
                "no-value-for-parameter",
                "unexpected-keyword-arg",
                "too-many-function-args",
                "redundant-keyword-arg",
                "not-callable",
            ],
        ),
    ],
    &[
        ("mypy", &["operator"]),
        ("pyright", &["reportOperatorIssue", "reportOptionalOperand"]),
        ("ty", &["unsupported-operator"]),
        ("pyrefly", &["unsupported-operation"]),
        ("pylint", &["unsupported-binary-operation"]),
    ],
    &[
        ("mypy", &["index"]),
        ("pyright", &["reportIndexIssue", "reportOptionalSubscript"]),
        ("ty", &["not-subscriptable"]),
        ("pyrefly", &["bad-index"]),
        ("pylint", &["unsubscriptable-object"]),
    ],
    &[
        ("mypy", &["override"]),
        ("pyright", &["reportIncompatibleMethodOverride"]),
        ("ty", &["incompatible-method-override"]),
        ("pyrefly", &["bad-override", "bad-override-param-name"]),
        ("pylint", &["arguments-differ", "arguments-renamed"]),
    ],
    &[
        ("mypy", &["explicit-override"]),
        ("pyright", &["reportImplicitOverride"]),
        ("ty", &["missing-override-decorator"]),
        ("pyrefly", &["missing-override-decorator"]),
    ],
    &[
        ("mypy", &["import-not-found"]),
        ("pyright", &["reportMissingImports"]),
        ("ty", &["import-not-found"]),
        ("pyrefly", &["missing-import"]),
        ("pylint", &["import-error"]),
    ],
    &[
        ("mypy", &["import-untyped"]),
        (
            "pyright",
            &["reportMissingTypeStubs", "reportMissingModuleSource"],
        ),
        ("pyrefly", &["untyped-import", "missing-source-for-stubs"]),
    ],
    &[
        ("ty", &["not-iterable"]),
        ("pyrefly", &["not-iterable"]),
        ("pyright", &["reportOptionalIterable"]),
        ("pylint", &["not-an-iterable", "unpacking-non-sequence"]),
    ],
    &[
        ("ty", &["invalid-context-manager"]),
        ("pyrefly", &["bad-context-manager"]),
        ("pyright", &["reportOptionalContextManager"]),
        ("pylint", &["not-context-manager"]),
    ],
    &[("ty", &["invalid-await"]), ("pyrefly", &["not-async"])],
    &[
        ("ty", &["invalid-raise"]),
        ("pyrefly", &["bad-raise"]),
        ("pylint", &["raising-bad-type", "raising-non-exception"]),
    ],
    &[
        ("mypy", &["unused-coroutine", "unused-awaitable"]),
        ("pyright", &["reportUnusedCoroutine"]),
        ("ty", &["unused-awaitable"]),
        ("pyrefly", &["unused-coroutine"]),
    ],
    &[
        ("mypy", &["abstract"]),
        ("pyright", &["reportAbstractUsage"]),
        ("ty", &["abstract-class-instantiation"]),
        ("pyrefly", &["bad-instantiation"]),
        ("pylint", &["abstract-class-instantiated"]),
    ],
    &[
        ("mypy", &["typeddict-item", "typeddict-unknown-key"]),
        ("pyright", &["reportTypedDictNotRequiredAccess"]),
        (
            "ty",
            &[
                "missing-typed-dict-key",
                "invalid-typed-dict-key",
                "unknown-typed-dict-constructor-key",
            ],
        ),
        ("pyrefly", &["bad-typed-dict-key"]),
    ],
    &[
        ("mypy", &["redundant-cast"]),
        ("pyright", &["reportUnnecessaryCast"]),
        ("ty", &["redundant-cast"]),
        ("pyrefly", &["redundant-cast"]),
    ],
    &[
        ("mypy", &["comparison-overlap"]),
        ("pyright", &["reportUnnecessaryComparison"]),
        ("pyrefly", &["unnecessary-comparison"]),
    ],
    &[
        ("mypy", &["unused-ignore"]),
        ("pyright", &["reportUnnecessaryTypeIgnoreComment"]),
        (
            "ty",
            &["unused-type-ignore-comment", "unused-ignore-comment"],
        ),
        ("pyrefly", &["unused-type-ignore", "unused-ignore"]),
    ],
    &[
        ("mypy", &["type-arg"]),
        ("pyright", &["reportMissingTypeArgument"]),
        ("ty", &["missing-type-argument"]),
        ("pyrefly", &["implicit-any-type-argument"]),
    ],
    &[
        ("ruff", &["ANN001"]),
        ("pyright", &["reportMissingParameterType"]),
        (
            "pyrefly",
            &["implicit-any-parameter", "unannotated-parameter"],
        ),
    ],
    &[
        ("mypy", &["deprecated"]),
        ("pyright", &["reportDeprecated"]),
        ("ty", &["deprecated"]),
        ("pyrefly", &["deprecated"]),
    ],
    &[
        ("mypy", &["exhaustive-match"]),
        ("pyright", &["reportMatchNotExhaustive"]),
        ("pyrefly", &["non-exhaustive-match"]),
    ],
    &[
        ("ruff", &["ANN401"]),
        ("mypy", &["explicit-any"]),
        ("pyright", &["reportExplicitAny"]),
        ("pyrefly", &["explicit-any"]),
    ],
    &[
        ("mypy", &["no-any-return"]),
        ("pyrefly", &["no-any-return"]),
    ],
    &[
        ("ty", &["division-by-zero"]),
        ("pyrefly", &["division-by-zero"]),
    ],
];

/// What stands for an error without a rule: of some tools, the syntax error.
pub const NO_RULE: &str = "";

/// Rules of pylint that ruff has: number, name, ruff's code.
pub const PYLINT_IN_RUFF: &str = include_str!("pylint-in-ruff.txt");

/// What a finding says, whoever says it. Findings that say the same have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning<'a> {
    /// One of the classes.
    Class(usize),
    /// A rule that several tools have under this code.
    Code(&'a str, u32),
}

/// What the finding says, if other tools may say it too.
pub fn meaning(finding: &Finding) -> Option<Meaning<'_>> {
    let rule = match finding.rule.as_deref() {
        Some(rule) => rule,
        // pyright has no rule for `reveal_type` either, which is no error.
        None if finding.severity == Severity::Error => NO_RULE,
        None => return None,
    };
    let tool = match &*finding.tool {
        "basedpyright" => "pyright",
        "flake8" => "ruff",
        tool => tool,
    };
    if let Some(class) = TABLE.get(&(tool, rule)) {
        return Some(Meaning::Class(*class));
    }
    let (letters, number) = code(rule)?;
    match tool {
        "ruff" => Some(Meaning::Code(letters, number)),
        "bandit" if letters == "B" => Some(Meaning::Code("S", number)),
        _ => None,
    }
}

/// `PLW0127`: letters and a number.
fn code(rule: &str) -> Option<(&str, u32)> {
    let digits = rule.find(|character: char| character.is_ascii_digit())?;
    let (letters, number) = rule.split_at_checked(digits)?;
    let is_code = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    Some((letters, number.parse().ok().filter(|_| is_code)?))
}

/// The class of each rule; those of pylint by name and by number.
static TABLE: LazyLock<HashMap<(&'static str, &'static str), usize>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for (class, tools) in CLASSES.iter().enumerate() {
        for (tool, rules) in *tools {
            table.extend(rules.iter().map(|rule| ((*tool, *rule), class)));
        }
    }
    for (extra, line) in PYLINT_IN_RUFF.lines().enumerate() {
        let mut words = line.split(' ');
        if let (Some(number), Some(name), Some(code)) = (words.next(), words.next(), words.next()) {
            // What is in a class as well belongs to that class, under each of its names.
            let class = table
                .get(&("pylint", name))
                .or_else(|| table.get(&("ruff", code)));
            let class = class.copied().unwrap_or(CLASSES.len() + extra);
            table.insert(("pylint", number), class);
            table.insert(("pylint", name), class);
            table.insert(("ruff", code), class);
        }
    }
    table
});
