//! Which Windows this is, or whether it is one at all: the header of its records.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::ptr::null_mut;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{ERROR_SUCCESS, FreeLibrary};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW};
use windows_sys::Win32::System::SystemInformation::OSVERSIONINFOW;
use windows_sys::core::{PCSTR, PCWSTR, w};

/// What the system tells of itself.
#[derive(Clone, Debug)]
pub struct System {
    /// `windows`, or `wine`.
    pub platform: &'static str,
    /// The build number of Windows, `26100`; the version of Wine, `10.0`.
    pub release: String,
    /// `10.0.26100.4061`, or Wine's version and the system whose stack it uses.
    pub kernel: String,
}

impl System {
    /// Asks it.
    pub fn ask() -> System {
        if let Some(version) = wine_version() {
            let host = wine_host().map(|host| format!(" on {host}")).unwrap_or_default();
            let end = version.find(|c: char| c != '.' && !c.is_ascii_digit());
            let release = version[..end.unwrap_or(version.len())].to_owned();
            return System { platform: "wine", release, kernel: format!("{version}{host}") };
        }
        let mut told = OSVERSIONINFOW {
            dwOSVersionInfoSize: size_of::<OSVERSIONINFOW>() as u32,
            ..OSVERSIONINFOW::default()
        };
        // SAFETY: the pointer is to what the function fills, and tells its size. It always
        // succeeds.
        unsafe { RtlGetVersion(&raw mut told) };
        let OSVERSIONINFOW { dwMajorVersion: major, dwMinorVersion: minor, .. } = told;
        let build = told.dwBuildNumber;
        let version = w!("SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion");
        // The number that counts the monthly updates of a build.
        let revision = dword(version, w!("UBR")).map(|ubr| format!(".{ubr}")).unwrap_or_default();
        let kernel = format!("{major}.{minor}.{build}{revision}");
        System { platform: "windows", release: build.to_string(), kernel }
    }

    /// Whether it is Wine, whose TCP is that of the system under it.
    pub fn is_wine(&self) -> bool {
        self.platform == "wine"
    }
}

/// Whether a library can be loaded: it lies beside the program, or where the system has its own.
pub fn finds_library(name: PCWSTR) -> bool {
    // SAFETY: the name ends with zero, and nothing of the library is used afterwards.
    unsafe {
        let module = LoadLibraryW(name);
        !module.is_null() && FreeLibrary(module) != 0
    }
}

/// What an administrator has set of TCP, beyond what the system does by itself: part of what
/// answers depend on. Usually nothing.
pub fn settings() -> BTreeMap<String, String> {
    let names = [
        ("KeepAliveInterval", w!("KeepAliveInterval")),
        ("KeepAliveTime", w!("KeepAliveTime")),
        ("MaxUserPort", w!("MaxUserPort")),
        ("TcpMaxConnectRetransmissions", w!("TcpMaxConnectRetransmissions")),
        ("TcpMaxDataRetransmissions", w!("TcpMaxDataRetransmissions")),
        ("TcpTimedWaitDelay", w!("TcpTimedWaitDelay")),
    ];
    let key = w!("SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters");
    let set = |(name, wide)| Some((format!("Tcpip.{name}"), dword(key, wide)?.to_string()));
    names.into_iter().filter_map(set).collect()
}

/// A number that the registry holds for the whole machine.
pub fn dword(key: PCWSTR, name: PCWSTR) -> Option<u32> {
    let mut value = 0u32;
    let mut bytes = size_of_val(&value) as u32;
    let (root, kind) = (HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD);
    let (place, size) = ((&raw mut value).cast(), &raw mut bytes);
    // SAFETY: the strings end with zero, and the value has as many bytes as told.
    let status = unsafe { RegGetValueW(root, key, name, kind, null_mut(), place, size) };
    (status == ERROR_SUCCESS).then_some(value)
}

/// A function of ntdll that only Wine has.
fn of_wine(name: PCSTR) -> Option<unsafe extern "system" fn() -> isize> {
    // SAFETY: the string ends with zero, as do the names; ntdll is part of every process.
    unsafe { GetProcAddress(GetModuleHandleW(w!("ntdll.dll")), name) }
}

fn wine_version() -> Option<String> {
    type Version = unsafe extern "C" fn() -> *const c_char;
    let function = of_wine(windows_sys::s!("wine_get_version"))?;
    // SAFETY: Wine's function of this name has this type, and returns a string that stays.
    let version = unsafe {
        CStr::from_ptr(std::mem::transmute::<unsafe extern "system" fn() -> isize, Version>(
            function,
        )())
    };
    Some(version.to_string_lossy().into_owned())
}

/// `Linux 6.18.44`
fn wine_host() -> Option<String> {
    type Host = unsafe extern "C" fn(*mut *const c_char, *mut *const c_char);
    let function = of_wine(windows_sys::s!("wine_get_host_version"))?;
    let (mut name, mut release) = (c"".as_ptr(), c"".as_ptr());
    // SAFETY: as for the version; the two strings stay as well.
    let (name, release) = unsafe {
        std::mem::transmute::<unsafe extern "system" fn() -> isize, Host>(function)(
            &raw mut name,
            &raw mut release,
        );
        (CStr::from_ptr(name), CStr::from_ptr(release))
    };
    Some(format!("{} {}", name.to_string_lossy(), release.to_string_lossy()))
}
