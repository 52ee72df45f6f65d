//! Settings of this machine's stack, read and never written: they are everybody's.

use std::collections::BTreeMap;
use std::ffi::CString;

/// More than any value that is asked for.
const VALUE_BYTES_MAX: usize = 256;

/// A value as the kernel has it.
fn read(name: &str) -> Option<Vec<u8>> {
    let name = CString::new(name).ok()?;
    let mut value = vec![0u8; VALUE_BYTES_MAX];
    let mut len = value.len();
    let (pointer, nothing) = (value.as_mut_ptr().cast(), std::ptr::null_mut());
    // SAFETY: the pointer is to `len` writable bytes, and no new value is given.
    let told = unsafe { libc::sysctlbyname(name.as_ptr(), pointer, &raw mut len, nothing, 0) };
    value.truncate(len);
    (told == 0).then_some(value)
}

/// A setting that is text.
pub fn text(name: &str) -> Option<String> {
    let value = read(name)?;
    let text = value.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// A setting that is a number, of whatever width.
pub fn number(name: &str) -> Option<i64> {
    match *read(name)?.as_slice() {
        [value] => Some(i64::from(value)),
        [a, b, c, d] => Some(i64::from(i32::from_ne_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => Some(i64::from_ne_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// Those of these settings that this release has, with their values.
pub fn found(numbers: &[&str], texts: &[&str]) -> BTreeMap<String, String> {
    let numbers = numbers.iter().map(|name| (*name, number(name).map(|value| value.to_string())));
    let texts = texts.iter().map(|name| (*name, text(name)));
    let all = numbers.chain(texts);
    all.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
