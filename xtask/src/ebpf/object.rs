//! Reduces the object to what the kernel and the loader read. Owns which sections stay; refuses to change an
//! instruction, a map or a type.
//!
//! Debug sections and line information are removed: with them, the object would be twice as large, and would
//! change with every comment, folder and registry.

use anyhow::{Context, Result};
use object::build::elf::{Builder, Section, SectionData};
use object::elf::SHT_STRTAB;

use super::btf;

/// The reduced object.
pub(super) fn reduce(elf: &[u8]) -> Result<Vec<u8>> {
    let mut object = Builder::read(elf).context("parsing ELF")?;
    for section in &mut object.sections {
        section.delete = is_dropped(section.name.as_slice());
    }
    object.delete_orphans();
    let types = content(&mut object, ".BTF")?.clone();
    let reduced = btf::reduce(&types, content(&mut object, ".BTF.ext")?)?;
    *content(&mut object, ".BTF")? = reduced.types;
    *content(&mut object, ".BTF.ext")? = reduced.functions;
    name_sections_apart(&mut object);
    object.set_section_sizes();
    let mut written = Vec::new();
    object.write(&mut written).context("writing ELF")?;
    Ok(written)
}

/// LLVM stores the names of sections and symbols in one table; the writer does not.
fn name_sections_apart(object: &mut Builder<'_>) {
    let table = object.sections.add();
    table.name = b".shstrtab".as_slice().into();
    table.sh_type = SHT_STRTAB;
    table.sh_addralign = 1;
    table.data = SectionData::SectionString;
}

/// Also removes the relocations of `.BTF.ext`, whose offsets are already resolved.
fn is_dropped(name: &[u8]) -> bool {
    name.starts_with(b".debug_") || name.starts_with(b".rel.debug_") || name == b".rel.BTF.ext"
}

/// The bytes of a section.
fn content<'o>(object: &'o mut Builder<'_>, name: &str) -> Result<&'o mut Vec<u8>> {
    let mut sections = object.sections.iter_mut();
    let is_it = |section: &&mut Section<'_>| section.name.as_slice() == name.as_bytes();
    match sections.find(is_it).map(|section| &mut section.data) {
        Some(SectionData::Data(bytes)) => Ok(bytes.to_mut()),
        _ => anyhow::bail!("no section {name}: was it linked with --btf?"),
    }
}
