//! Which file uses something that another file defines, read from the sources.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// A path of modules and names below the crate.
type Path = Vec<String>;

/// Files, and the files that each of them uses.
pub(super) struct Graph {
    files: Vec<String>,
    arrows: Vec<BTreeSet<usize>>,
}

/// What a file brings into scope by `use`.
struct Import {
    path: Path,
    /// Other files may use it through this file.
    is_public: bool,
}

struct Sources<'a> {
    /// Files by module.
    modules: BTreeMap<Path, &'a str>,
    imports: BTreeMap<&'a str, BTreeMap<String, Import>>,
}

impl Graph {
    /// Reads the edges from the code of all files, without comments, strings and tests. What a file re-exports counts
    /// as used where it is defined.
    pub(super) fn of(code: &BTreeMap<String, String>) -> Self {
        let names_path = Regex::new(r"[A-Za-z_]\w*(?:\s*::\s*\w+)+").expect("a pattern");
        let imports = Regex::new(r"(?m)\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);").expect("a pattern");
        let code = || code.iter().filter(|(file, _)| *file != "main.rs");
        let modules = code().map(|(file, _)| (module_of(file), file.as_str())).collect();
        let mut sources = Sources { modules, imports: BTreeMap::new() };
        for (file, text) in code() {
            let mut found = BTreeMap::new();
            for hit in imports.captures_iter(text) {
                for (path, name) in flat(&hit[2]) {
                    if let Some(path) = sources.absolute(&module_of(file), &path) {
                        found.insert(name, Import { path, is_public: hit.get(1).is_some() });
                    }
                }
            }
            sources.imports.insert(file, found);
        }
        let files: Vec<String> = code().map(|(file, _)| file.clone()).collect();
        let place = |file: &str| files.binary_search_by(|known| known.as_str().cmp(file)).expect("a known file");
        let mut arrows = vec![BTreeSet::new(); files.len()];
        for (file, text) in code() {
            let mut named: Vec<Path> = sources.imports[file.as_str()]
                .values()
                .filter(|import| !import.is_public)
                .map(|import| import.path.clone())
                .collect();
            let rest = imports.replace_all(text, "");
            for hit in names_path.find_iter(&rest) {
                let is_inner = rest[..hit.start()].trim_end().ends_with(':');
                named.extend((!is_inner).then(|| sources.named(file, &segments(hit.as_str()))).flatten());
            }
            let targets = named.iter().filter_map(|path| sources.definition(path, 0)).filter(|target| target != file);
            arrows[place(file)] = targets.map(place).collect();
        }
        Self { files, arrows }
    }

    /// The groups of files in which each file leads to every other.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|from| self.reached(from)).collect();
        let mut found = BTreeSet::new();
        for from in 0..self.files.len() {
            let circle: Vec<&str> = (0..self.files.len())
                .filter(|to| reached[from].contains(to) && reached[*to].contains(&from))
                .map(|place| self.files[place].as_str())
                .collect();
            if circle.len() > 1 {
                found.insert(circle);
            }
        }
        found.into_iter().collect()
    }

    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(place) = open.pop() {
            open.extend(self.arrows[place].iter().filter(|next| reached.insert(**next)));
        }
        reached
    }
}

impl Sources<'_> {
    /// A path inside a module as a path from the crate root; `None` for other crates.
    fn absolute(&self, module: &Path, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let parent = module[..module.len().checked_sub(1)?].to_vec();
                if rest.first().is_some_and(|next| next == "super") {
                    self.absolute(&parent, rest)
                } else {
                    Some([&parent, rest].concat())
                }
            }
            child => self
                .modules
                .contains_key(&[module.as_slice(), &[child.to_owned()]].concat())
                .then(|| [module, path].concat()),
        }
    }

    /// Resolves a path in the code of a file: from the crate, a child module, or something that was imported.
    fn named(&self, file: &str, path: &[String]) -> Option<Path> {
        self.absolute(&module_of(file), path).or_else(|| {
            let import = self.imports[file].get(&path[0])?;
            Some([import.path.as_slice(), &path[1..]].concat())
        })
    }

    /// The file that defines what a path names; `None` for a module itself.
    fn definition(&self, path: &Path, hops: usize) -> Option<&str> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let file = self.modules[&path[..length]];
        let Some(name) = path.get(length) else { return (hops > 0).then_some(file) };
        match self.imports[file].get(name) {
            Some(import) if import.is_public && hops < 8 => {
                self.definition(&[import.path.as_slice(), &path[length + 1..]].concat(), hops + 1)
            }
            _ => Some(file),
        }
    }
}

/// The module of a file below `src`.
fn module_of(file: &str) -> Path {
    let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if name == "lib" { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}

fn segments(path: &str) -> Path {
    path.split("::").map(|part| part.trim().to_owned()).collect()
}

/// Every path of a `use` with the name it gets.
fn flat(tree: &str) -> Vec<(Path, String)> {
    let tree = tree.trim();
    if let Some((prefix, inner)) = tree.split_once('{') {
        let prefix = prefix.trim().trim_end_matches("::");
        let inner = inner.trim_end().trim_end_matches('}');
        let under = |part: &str| if prefix.is_empty() { part.to_owned() } else { format!("{prefix}::{part}") };
        return parts(inner).iter().flat_map(|part| flat(&under(part))).collect();
    }
    let (path, name) =
        tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim().to_owned())));
    let mut path = segments(path.trim());
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
    vec![(path, name)]
}

/// The parts between commas that are not inside inner braces.
fn parts(inner: &str) -> Vec<String> {
    let (mut depth, mut found) = (0, vec![String::new()]);
    for c in inner.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match found.last_mut() {
            Some(part) if c != ',' || depth > 0 => part.push(c),
            _ => found.push(String::new()),
        }
    }
    found.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}
